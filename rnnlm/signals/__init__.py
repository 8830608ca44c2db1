"""Signals that ask a process to stop: Ctrl-C, SIGTERM and SIGHUP."""
