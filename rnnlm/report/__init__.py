"""The report: one page, without a network, that answers which cell, which features, by how much."""
