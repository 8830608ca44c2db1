"""Exit statuses of processes that signals end: 128 plus the signal's number, as shells count."""

from __future__ import annotations

import contextlib
import signal

INTERRUPTED_STATUS, TERMINATED_STATUS = 128 + signal.SIGINT, 128 + signal.SIGTERM
BROKEN_PIPE_STATUS = 128 + 13  # SIGPIPE, which Windows does not have


def status_after(number: int) -> int:
    """Return the exit status of a process that a signal has stopped."""
    return 128 + number


def ending_by_signal(exit_code: int | None) -> str | None:
    """Say which signal ended a process of multiprocessing; None if no signal did."""
    if exit_code == TERMINATED_STATUS:
        return "stopped by SIGTERM"
    if exit_code is None or exit_code >= 0:
        return None
    if exit_code == -signal.SIGKILL:
        return "killed by SIGKILL, as the system does where memory runs out"
    with contextlib.suppress(ValueError):  # real-time signals have no names
        return f"killed by {signal.Signals(-exit_code).name}"
    return f"killed by signal {-exit_code}"
