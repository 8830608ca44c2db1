"""Setting the handlers of signals, and putting the earlier ones back."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], Any]
Handlers = dict[int, Handler | int]


def in_main_thread() -> bool:
    """Tell whether the current thread is the one that can set handlers."""
    return threading.current_thread() is threading.main_thread()


def set_handlers(numbers: Iterable[int], handler: Handler | int) -> Handlers:
    """Have a handler answer the signals, and return the handlers that did so before.

    An ignored signal stays ignored, such as SIGHUP under `nohup` and Ctrl-C in a background job.
    Outside the main thread, nothing is changed.
    """
    before: Handlers = {}
    if in_main_thread():
        for number in numbers:
            earlier = signal.getsignal(number)
            if earlier is not None and earlier != signal.SIG_IGN:
                before[number] = earlier
                signal.signal(number, handler)
    return before


def ignore_interrupts() -> None:
    """Ignore Ctrl-C: in a terminal it reaches every process, and the main one passes it on."""
    set_handlers([signal.SIGINT], signal.SIG_IGN)


def restore_handlers(before: Handlers) -> None:
    """Put back the handlers that `set_handlers` has returned."""
    for number, handler in before.items():
        signal.signal(number, handler)
