"""A request that a run stop, which a signal makes and the run fulfils once it has saved."""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

from rnnlm.signals.exit_status import TERMINATED_STATUS, status_after
from rnnlm.signals.handlers import (
    Handler,
    Handlers,
    ignore_interrupts,
    in_main_thread,
    restore_handlers,
    set_handlers,
)

# Ctrl-C as the launcher passes it on: unlike SIGTERM, it lets an epoch's validation finish.
STOP_AFTER_SAVING = signal.SIGTERM if sys.platform == "win32" else signal.SIGUSR1
# After SIGTERM, who has sent it may kill the run when a few seconds are over.
SECONDS_UNTIL_OVERDUE = 2.0

log = logging.getLogger(__name__)


class Stopped(Exception):  # noqa: N818
    """A signal has asked the run to stop, and what it needs to go on is saved."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal.Signals(signal_number).name)
        self.signal_number = signal_number

    def end_run(self) -> NoReturn:
        """End the run as the signal would have ended it.

        Raises:
            KeyboardInterrupt: the signal was Ctrl-C.
            SystemExit: it was another one. For SIGUSR1 and SIGUSR2, the earlier handler,
                such as submitit's, is called first: it now finds a run that is saved.
        """
        if self.signal_number == signal.SIGINT:
            raise KeyboardInterrupt from self
        if self.signal_number != signal.SIGTERM:
            signal.raise_signal(self.signal_number)
        raise SystemExit(status_after(self.signal_number)) from self


class StopRequest:
    """The last signal that has asked a run to stop, if one has."""

    def __init__(self) -> None:
        self.signal_number: int | None = None
        self._noted_at = 0.0
        self._before: Handlers = {}
        self._sigterm_handler: Handler | int | None = None

    @property
    def is_overdue(self) -> bool:
        """Tell whether SIGTERM came so long ago that the run must stop, saved or not."""
        waited = time.monotonic() - self._noted_at
        return self.signal_number == signal.SIGTERM and waited >= SECONDS_UNTIL_OVERDUE

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Note Ctrl-C and SIGTERM, and SIGUSR1 and SIGUSR2 if they have a handler.

        A second Ctrl-C acts at once. A second SIGTERM does not: one that is sent to a group of
        processes reaches a run twice, from the sender and from the sweep that passes it on.

        Raises:
            Stopped: a signal came, and the work within has ended without fulfilling the request.
        """
        self._before = set_handlers((signal.SIGINT, signal.SIGTERM), self._note)
        if sys.platform != "win32":
            user_signals = (signal.SIGUSR1, signal.SIGUSR2)
            handled = [number for number in user_signals if callable(signal.getsignal(number))]
            self._before |= set_handlers(handled, self._note)
        if in_main_thread():
            self._sigterm_handler = signal.getsignal(signal.SIGTERM)
        try:
            yield
            self.fulfil()
        finally:
            restore_handlers(self._before)

    def restore_sigterm_handler(self) -> None:
        """Put back the handler that Lightning replaced by one that ends a run without saving it."""
        if self._sigterm_handler is not None:
            signal.signal(signal.SIGTERM, self._sigterm_handler)

    def fulfil(self) -> None:
        """End the run if a signal has asked for it.

        Raises:
            Stopped: a signal has.
        """
        if self.signal_number:
            stopped = Stopped(self.signal_number)
            if self.signal_number != signal.SIGINT:
                # Now, while another signal cannot end the process.
                log.info("stopped by %s; the same command goes on with what is left", stopped)
            raise stopped

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.signal_number != number:
            self.signal_number, self._noted_at = number, time.monotonic()
        if number == signal.SIGINT:
            signal.signal(number, self._before[number])


def set_handlers_of_run() -> None:
    """Set the handlers of a run's process: it stops when the main process says so."""
    ignore_interrupts()
    if STOP_AFTER_SAVING != signal.SIGTERM:
        signal.signal(STOP_AFTER_SAVING, _exit)


def _exit(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(TERMINATED_STATUS)
