"""Files on disk: written as a whole, locked by one process at a time, and their names."""
