"""Signals that ask a process to stop: Ctrl-C, SIGTERM and SIGHUP.

- `ctrl_c`: in the process that the user started
- `stop_signals`: in that process, while a launcher carries out the runs of a sweep
- `stop_request`: in the process of a run
"""
