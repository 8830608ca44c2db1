"""What helps a trained network on held-out text: each help is a row of its own, labelled so."""
