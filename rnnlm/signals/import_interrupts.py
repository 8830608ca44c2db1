"""Ctrl-C while modules are imported, which takes seconds."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator

from rnnlm.signals.interruption import INTERRUPTED_STATUS


@contextlib.contextmanager
def ended_by_interrupts() -> Iterator[None]:
    """Let Ctrl-C end the process at once and silently: for imports, which hold nothing to save.

    An exception in the midst of an import may be lost, or come out as another one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    before = signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED_STATUS))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
