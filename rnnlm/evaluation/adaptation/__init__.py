"""Adaptation of a trained network to held-out text: dynamic evaluation, cache and n-grams."""
