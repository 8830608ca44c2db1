"""Signals that ask a sweep to stop, noted while a launcher runs.

An exception that a signal raises may come anywhere: between submitting a job and noting its number,
or while the runs are being stopped. So a signal is only noted here. Once the launcher has stopped
the runs, the signal does what it would have done at once.
"""

from __future__ import annotations

import signal
import sys
import time
from enum import IntEnum
from types import FrameType, TracebackType

from rnnlm.signals.exit_status import status_after
from rnnlm.signals.handlers import Handlers, restore_handlers, set_handlers

# Ctrl-C this soon after the first signal is the same request: a key that is held down, or one
# signal that reaches the process in several ways.
SECONDS_OF_ONE_REQUEST = 1.0
# A burst of signals is over once none has come for this long. Before, none is passed on, or the
# rest of the burst would hit the process as it ends.
SECONDS_AFTER_A_BURST = 0.5

STOP_SIGNALS = [signal.SIGINT, signal.SIGTERM]
if sys.platform != "win32":
    # It comes when the terminal is closed or its connection is cut.
    STOP_SIGNALS.append(signal.SIGHUP)


class Urgency(IntEnum):
    """Time that the runs get to stop."""

    NONE = 0  # no signal has come
    AFTER_SAVING = 1  # Ctrl-C: as long as saving takes
    SOON = 2  # SIGTERM or SIGHUP: a few seconds
    NOW = 3  # Ctrl-C again


class StopSignals:
    """A context in which signals that ask a sweep to stop are noted."""

    def __init__(self) -> None:
        self.urgency = Urgency.NONE
        self._first: int | None = None
        self._first_at = self._last_at = 0.0
        self._before: Handlers = {}

    def __enter__(self) -> StopSignals:
        self._before = set_handlers(STOP_SIGNALS, self._note)
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
        restore_handlers(self._before)
        if self._first is not None:
            signal.raise_signal(self._first)
            # Its own handler may only have noted it.
            raise SystemExit(status_after(self._first))

    def heard_within(self, seconds: float) -> bool:
        """Wait for a signal, and tell whether one has come."""
        deadline = time.monotonic() + seconds
        while not self.urgency and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))
        return self.urgency is not Urgency.NONE

    @property
    def has_hung_up(self) -> bool:
        """Tell whether the sweep is to stop because its terminal is gone."""
        return sys.platform != "win32" and self._first == signal.SIGHUP

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._last_at = time.monotonic()
        if self._first is None:
            self._first, self._first_at = number, self._last_at
        if number != signal.SIGINT:
            urgency = Urgency.SOON
        elif self._last_at - self._first_at < SECONDS_OF_ONE_REQUEST:
            urgency = Urgency.AFTER_SAVING
        else:
            urgency = Urgency.NOW
        self.urgency = max(self.urgency, urgency)
