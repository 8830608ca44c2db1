"""Files on disk: written as a whole or not at all, and locked by one process at a time."""
