"""Where the processes of runs come from: a server that has imported all they need, and forks.

A fork of it starts in milliseconds where a new interpreter takes seconds to import PyTorch, and it
is safe where a fork of a process that has already trained is not. Windows has no fork: there, every
run starts an interpreter of its own.

This file imports nothing large, so that the server can be started before the main process begins
its own imports.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from multiprocessing.context import BaseContext

_PRELOADED = ["rnnlm.sweep"]


def context() -> BaseContext:
    """The context of multiprocessing that starts runs."""
    return multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")


def start() -> None:
    """Start the server, whose imports then go on beside those of this process."""
    if sys.platform == "win32":
        return
    from multiprocessing.forkserver import ensure_running, set_forkserver_preload

    set_forkserver_preload(_PRELOADED)
    # Ctrl-C reaches all processes of a terminal. The server and its runs are to leave it to the
    # main process, which asks each run to save and stop.
    inherited = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        ensure_running()
    finally:
        signal.signal(signal.SIGINT, inherited)
