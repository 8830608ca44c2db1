"""Evaluation of a trained network: any text, exact answers, and adaptation to the text."""
