"""Launchers: Hydra hands them the runs of a sweep, and they carry them out."""
