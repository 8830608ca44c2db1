"""The signals that ask a sweep to stop, which a launcher heeds when it is ready to.

An exception that a signal raises may come anywhere: between a job's submission and the line that
notes its number, or amid the stopping of the runs. So while a launcher is at work, a signal is only
noted. Once the runs have been stopped, it does what it would have done at once.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from enum import IntEnum
from types import FrameType, TracebackType
from typing import Any

# Signals this close to the first are one request: a key that is held down, or a signal that reaches
# the process by several ways.
SECONDS_OF_ONE_REQUEST = 1.0
# Such a burst is over when nothing has come for so long. Before, nothing is passed on: the rest
# would hit the process as it ends.
SECONDS_AFTER_A_BURST = 0.5

# SIGHUP comes when the terminal is closed or its connection is cut.
STOP_SIGNALS = (
    (signal.SIGINT, signal.SIGTERM)
    if sys.platform == "win32"
    else (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
)


class Urgency(IntEnum):
    """How much time the runs get to stop in."""

    NONE = 0  # nobody has asked
    SAVED = 1  # Ctrl-C: however long it takes them to save
    SOON = 2  # SIGTERM or SIGHUP: a few seconds
    NOW = 3  # Ctrl-C again


class StopSignals:
    """A context in which the signals that ask a sweep to stop are noted.

    What is ignored, as Ctrl-C is by a job in the background and SIGHUP under nohup, stays so.
    Outside the main thread, which alone can say what a signal does, there is nothing to note.
    """

    def __init__(self) -> None:
        self.urgency = Urgency.NONE
        self._first: int | None = None
        self._first_at = self._last_at = 0.0
        self._before: dict[int, Callable[[int, FrameType | None], Any] | int] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            for number in STOP_SIGNALS:
                handler = signal.getsignal(number)
                if handler not in (None, signal.SIG_IGN):
                    self._before[number] = handler
                    signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        while (
            self._first and (left := self._last_at + SECONDS_AFTER_A_BURST - time.monotonic()) > 0
        ):
            time.sleep(left)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._first is not None:
            signal.raise_signal(self._first)
            # Where that has only been noted by whoever is next to hear of it.
            raise SystemExit(128 + self._first)

    def heard_within(self, seconds: float) -> bool:
        """Wait for a signal; tell whether one has come."""
        deadline = time.monotonic() + seconds
        while not self.urgency and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))
        return self.urgency is not Urgency.NONE

    @property
    def has_hung_up(self) -> bool:
        """Whether it is the end of the terminal that asks."""
        return sys.platform != "win32" and self._first == signal.SIGHUP

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._last_at = time.monotonic()
        if self._first is None:
            self._first, self._first_at = number, self._last_at
        if number != signal.SIGINT:
            urgency = Urgency.SOON
        elif self._last_at - self._first_at < SECONDS_OF_ONE_REQUEST:
            urgency = Urgency.SAVED
        else:
            urgency = Urgency.NOW
        self.urgency = max(self.urgency, urgency)
