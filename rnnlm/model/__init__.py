"""Batches to logits: features, cells and the language model made of them. Plain torch."""
