"""The report: one self-contained page on which cell and features are best, and by how much."""
