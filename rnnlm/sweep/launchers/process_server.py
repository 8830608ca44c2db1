"""A server that has imported all that runs need, and forks their processes.

A fork of the server starts in milliseconds; a new interpreter takes seconds to import PyTorch.
Forking the server is safe. Forking a process that has trained is not. Windows has no fork: there,
every run starts an interpreter of its own.

This file imports nothing large, so that the server starts before the main process begins its own
imports.
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

# This file comes first: as the server imports it, it makes sure that the server ends.
_PRELOADED = ["rnnlm.sweep.launchers.process_server", "rnnlm.sweep.worker"]
# Environment variable that names the main process to the server.
_MAIN_PROCESS = "RNNLM_MAIN_PROCESS"
_PR_SET_PDEATHSIG = 1
# In bytes. The name of a socket has at most 107, and multiprocessing adds about 30.
_LONGEST_FOLDER = 70


def start_method_context() -> BaseContext:
    """Return the context of multiprocessing that starts runs."""
    return multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")


def start() -> None:
    """Start the server, which does its imports at the same time as this process."""
    if sys.platform == "win32":
        return
    from multiprocessing import resource_tracker
    from multiprocessing.forkserver import ensure_running, set_forkserver_preload

    set_forkserver_preload(_PRELOADED)
    _shorten_temporary_folder()
    # A terminal sends SIGINT and SIGHUP to the server and the runs too. They must ignore both: the
    # main process asks each run to save and stop. So both signals are blocked while the server
    # starts, which inherits this. In the main process, such a signal waits until then.
    inherited = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    try:
        # The resource tracker starts first, because starting it unblocks SIGINT in this process.
        # The tracker itself ignores SIGINT.
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        os.environ[_MAIN_PROCESS] = str(os.getpid())
        ensure_running()
    finally:
        os.environ.pop(_MAIN_PROCESS, None)
        signal.pthread_sigmask(signal.SIG_SETMASK, inherited)


def _shorten_temporary_folder() -> None:
    """Have multiprocessing put its sockets elsewhere if TMPDIR is too long for their names."""
    process = multiprocessing.current_process()
    configuration = process._config  # type: ignore[attr-defined]  # noqa: SLF001 no public name
    if len(os.fsencode(tempfile.gettempdir())) > _LONGEST_FOLDER and "tempdir" not in configuration:
        folder = tempfile.mkdtemp(prefix="rnnlm-", dir="/tmp")
        configuration["tempdir"] = folder
        util.Finalize(None, shutil.rmtree, args=(folder, True), exitpriority=-100)


def _end_with_the_main_process() -> None:
    """Have the system kill this process, the server, when the main process has ended.

    By itself the server would notice only after its imports. The processes of runs do not inherit
    this from it: they save first.
    """
    if sys.platform == "linux":  # other systems have no such call
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.environ.pop(_MAIN_PROCESS, str(os.getppid())) != str(os.getppid()):
            os._exit(1)  # it had ended before


if any("multiprocessing.forkserver" in argument for argument in sys.orig_argv):
    _end_with_the_main_process()
