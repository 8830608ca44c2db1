"""Ctrl-C and SIGTERM in the process that the user has started, from its first imports on.

This file imports nothing large, so that it is in place before the imports that take seconds.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

from rnnlm.signals.exit_status import INTERRUPTED_STATUS, TERMINATED_STATUS, status_after
from rnnlm.signals.handlers import restore_handlers, set_handlers

_LINES: dict[int, str] = {
    signal.SIGINT: "interrupted; the same command goes on with what is left",
    signal.SIGTERM: "stopped by SIGTERM; the same command goes on with what is left",
}
# Interrupts that follow each other faster than this count as one.
SECONDS_OF_A_BURST = 0.5


class Interruption:
    """Answers Ctrl-C and SIGTERM with one line and the exit status 130 or 143.

    While work is in progress, the first signal raises KeyboardInterrupt or SystemExit in it, so
    that runs are saved and files are closed. A second Ctrl-C, and SIGTERM after a Ctrl-C, raises
    again and gives up what is still being saved. Further signals change nothing.
    Before and after the work there is nothing to save: the process ends at once.
    """

    def __init__(self) -> None:
        self._is_working = False
        self._number: int | None = None
        self._heard_at = 0.0
        self._is_second = False

    def install(self) -> None:
        """Answer the signals from now on."""
        set_handlers(_LINES, self._hear)

    def ignore_signals(self) -> None:
        """Ignore the signals: the work is done, and the process ends with its own status."""
        set_handlers(_LINES, signal.SIG_IGN)

    def run(self, work: Callable[[], int]) -> int:
        """Do work that a signal may stop, and return its exit status."""
        self._number, self._is_second, status = None, False, 0
        before = set_handlers(_LINES, self._hear)
        try:
            try:
                self._is_working = True
                status = work()
            finally:
                # A signal that arrives here raises, too, and is caught below.
                self._is_working = False
        except BaseException as error:
            self._is_working = False
            if self._number is None:
                if not isinstance(error, KeyboardInterrupt):
                    raise
                self._number = signal.SIGINT
        finally:
            restore_handlers(before)
        if self._number is not None:
            # Also if a library has caught the exception and gone on.
            print(_LINES[self._number], file=sys.stderr, flush=True)
            status = status_after(self._number)
        return status

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self._is_working:
            self._stop_work(number)
        elif self._number is None:
            _end_process(number)

    def _stop_work(self, number: int) -> None:
        now = time.monotonic()
        if self._number is not None:
            in_burst = number == signal.SIGINT and now - self._heard_at < SECONDS_OF_A_BURST
            if self._number == signal.SIGTERM or self._is_second or in_burst:
                return
            self._is_second = True
        self._heard_at = now
        self._number = number
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(TERMINATED_STATUS)


def _end_process(number: int) -> NoReturn:
    """End the process at once; an exception might be lost in whatever is being imported."""
    set_handlers(_LINES, signal.SIG_IGN)
    with contextlib.suppress(OSError, RuntimeError, ValueError, AttributeError):
        sys.stdout.flush()
    with contextlib.suppress(OSError):
        os.write(2, f"{_LINES[number]}\n".encode())
    # os._exit skips the clean-up of multiprocessing: remove its folder of sockets here.
    if "multiprocessing.process" in sys.modules:
        process = sys.modules["multiprocessing.process"].current_process()
        if folder := process._config.get("tempdir"):  # noqa: SLF001 there is no public name for it
            shutil.rmtree(folder, ignore_errors=True)
    os._exit(status_after(number))


@contextlib.contextmanager
def ended_by_interrupts() -> Iterator[None]:
    """Let Ctrl-C end the process at once and silently, for imports, which hold nothing to save.

    An exception amid an import may be lost, or come out as another one.
    """
    before = set_handlers([signal.SIGINT], lambda *_: os._exit(INTERRUPTED_STATUS))
    try:
        yield
    finally:
        restore_handlers(before)


interruption = Interruption()
