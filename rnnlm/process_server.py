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

# In this order: the server is to end with the main process while it still imports.
_PRELOADED = ["rnnlm.process_server_end", "rnnlm.sweep"]


def context() -> BaseContext:
    """The context of multiprocessing that starts runs."""
    return multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")


def start() -> None:
    """Start the server, whose imports then go on beside those of this process."""
    if sys.platform == "win32":
        return
    from multiprocessing import resource_tracker
    from multiprocessing.forkserver import ensure_running, set_forkserver_preload

    set_forkserver_preload(_PRELOADED)
    # Ctrl-C and the end of a terminal reach all its processes. The server and its runs are to leave
    # them to the main process, which asks each run to save and stop. They inherit what is blocked;
    # here, a signal that comes meanwhile waits.
    inherited = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    try:
        # First, as it unblocks Ctrl-C here once it has started. It ignores Ctrl-C by itself.
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, inherited)
