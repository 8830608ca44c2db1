"""Records of runs, the groups that compare, statistics over seeds, and tables."""
