"""Where the processes of runs come from: a server that has imported all they need, and forks.

A fork of it starts in milliseconds where a new interpreter takes seconds to import PyTorch, and it
is safe where a fork of a process that has already trained is not. Windows has no fork: there, every
run starts an interpreter of its own.

This file imports nothing large, so that the server can be started before the main process begins
its own imports.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
from multiprocessing import util
from multiprocessing.context import BaseContext

# In this order: importing this file, the server sees to its own end.
_PRELOADED = ["rnnlm.sweep.launchers.process_server", "rnnlm.sweep.worker"]
# By which the server knows the main process.
_MAIN_PROCESS = "RNNLM_MAIN_PROCESS"
_PR_SET_PDEATHSIG = 1
# Bytes. The name of a socket has 107 at most, of which multiprocessing adds some 30.
_LONGEST_FOLDER = 70


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
    _shorten_temporary_folder()
    # Ctrl-C and the end of a terminal reach all its processes. The server and its runs are to leave
    # them to the main process, which asks each run to save and stop. They inherit what is blocked;
    # here, a signal that comes meanwhile waits.
    inherited = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    try:
        # First, as it unblocks Ctrl-C here once it has started. It ignores Ctrl-C by itself.
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        os.environ[_MAIN_PROCESS] = str(os.getpid())
        ensure_running()
    finally:
        os.environ.pop(_MAIN_PROCESS, None)
        signal.pthread_sigmask(signal.SIG_SETMASK, inherited)


def _shorten_temporary_folder() -> None:
    """Have multiprocessing put its sockets elsewhere where TMPDIR is too long for their names."""
    configuration = multiprocessing.current_process()._config  # type: ignore[attr-defined]
    if len(os.fsencode(tempfile.gettempdir())) > _LONGEST_FOLDER and "tempdir" not in configuration:
        folder = tempfile.mkdtemp(prefix="rnnlm-", dir="/tmp")
        configuration["tempdir"] = folder
        util.Finalize(None, shutil.rmtree, args=(folder, True), exitpriority=-100)


def _end_with_the_main_process() -> None:
    """Have the system kill this process, the server, when the main one is gone.

    It would learn that from a pipe, but only once it has imported all that the runs need. Their
    processes, which it forks, do not inherit this: they save first.
    """
    if sys.platform == "linux":  # others have no such call
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.environ.pop(_MAIN_PROCESS, str(os.getppid())) != str(os.getppid()):
            os._exit(1)  # it was gone before


if any("multiprocessing.forkserver" in argument for argument in sys.orig_argv):
    _end_with_the_main_process()
