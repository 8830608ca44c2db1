"""Writing with a trained network: draws, beam search, and the constraints on a text."""
