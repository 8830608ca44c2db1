"""The end of the process server with the main process; only the server imports this file.

The server learns that the main process is gone from a pipe, which it looks at when it has imported
all that the runs need. Until then, the seconds would pass in a process that nobody waits for.
"""

from __future__ import annotations

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1

if sys.platform == "linux":
    # The processes of runs, which the server forks, do not inherit it: they save first.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
