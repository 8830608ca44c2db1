"""What Hydra hands the runs of a sweep to."""
