"""Plots of what runs have logged and recorded, by matplotlib."""
