"""Texts to token indices: how words are found, what they are numbered and where they are kept."""
