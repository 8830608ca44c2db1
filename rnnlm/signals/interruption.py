"""Ctrl-C and SIGTERM from the first import of `run.py` on: one line, and the status 130 or 143.

This file imports nothing large, so that it is in place before the imports that take seconds.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

INTERRUPTED_STATUS, TERMINATED_STATUS = 128 + signal.SIGINT, 128 + signal.SIGTERM
_LINES: dict[int, str] = {
    signal.SIGINT: "interrupted; the same command goes on with what is left",
    signal.SIGTERM: "stopped by SIGTERM; the same command goes on with what is left",
}
# Signals that come closer together than this are one wish to stop, not two.
SECONDS_OF_A_BURST = 0.5


class Interruption:
    """Answers the signals that ask this process to stop.

    While a body of work runs, the first signal raises KeyboardInterrupt or SystemExit in it, so
    that runs are saved and files are closed. A second Ctrl-C, and SIGTERM after a Ctrl-C, raises
    once more: what is still being saved is given up. All others are heard and change nothing.
    Before and after, there is nothing to save and the process ends at once.
    """

    def __init__(self) -> None:
        self._is_working = False
        self._number: int | None = None
        self._heard_at = 0.0
        self._is_second = False

    def install(self) -> None:
        """Answer from now on; a signal that is ignored, as by `nohup`, stays ignored."""
        if threading.current_thread() is not threading.main_thread():
            return  # only the main thread may say what a signal does
        for number in _LINES:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._hear)

    def leave_be(self) -> None:
        """Hear no signal any more: the work is done and the process ends with its own status."""
        if threading.current_thread() is threading.main_thread():
            for number in _LINES:
                signal.signal(number, signal.SIG_IGN)

    def run(self, body: Callable[[], int]) -> int:
        """Run the body, which may be stopped by a signal; returns its exit status."""
        before = {number: signal.getsignal(number) for number in _LINES}
        self._number, self._is_second, status = None, False, 0
        try:
            try:
                self._is_working = True
                self.install()
                status = body()
            finally:
                # A signal that arrives here raises, too, and is caught below.
                self._is_working = False
        except BaseException as error:
            self._is_working = False
            if self._number is None:
                if not isinstance(error, KeyboardInterrupt):
                    raise
                self._number = signal.SIGINT
        if self._number is not None:
            # Also where a library has taken the exception for its own and gone on.
            print(_LINES[self._number], file=sys.stderr, flush=True)
            status = 128 + self._number
        if threading.current_thread() is threading.main_thread():
            for number, handler in before.items():
                signal.signal(number, handler)
        return status

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self._is_working:
            self._stop_body(number)
        elif self._number is None:
            _leave(number)

    def _stop_body(self, number: int) -> None:
        now = time.monotonic()
        is_first = self._number is None
        is_of_a_burst = number == signal.SIGINT and now - self._heard_at < SECONDS_OF_A_BURST
        if not is_first:
            if self._number == signal.SIGTERM or self._is_second or is_of_a_burst:
                return
            self._is_second = True
        self._heard_at = now
        self._number = number
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(TERMINATED_STATUS)


def _leave(number: int) -> NoReturn:
    """End the process here and now: an exception would be lost in whatever is being imported."""
    for other in _LINES:
        signal.signal(other, signal.SIG_IGN)
    with contextlib.suppress(OSError, RuntimeError, ValueError, AttributeError):
        sys.stdout.flush()
    with contextlib.suppress(OSError):
        os.write(2, f"{_LINES[number]}\n".encode())
    _remove_temporary_folder()
    os._exit(128 + number)


def _remove_temporary_folder() -> None:
    """Remove what multiprocessing, where it is in use, would remove as Python ends."""
    if "multiprocessing.process" in sys.modules:
        process = sys.modules["multiprocessing.process"].current_process()
        if folder := process._config.get("tempdir"):
            shutil.rmtree(folder, ignore_errors=True)


interruption = Interruption()
