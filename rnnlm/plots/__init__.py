"""Figures of runs: curves, heat maps and trade-offs. Only this package imports matplotlib."""
