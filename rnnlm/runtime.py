"""Settings of the whole process: reproducible bits, and memory that is kept for the next step.

An entry point calls `prepare_process` before it computes anything.

PyTorch leaves some products and functions to MKL. Before its first use, MKL must be told to give
the same bits on any number of threads.

A training step frees memory that the next step needs again. glibc returns blocks above 32 MB to the
system each time, and the system clears them for the next step. On two cores that took a third of a
step of an LSTM of 512 units on 6,600 tokens with bf16-mixed, and an eighth in float32.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
from pathlib import Path
from typing import Any

import torch

# The same order of sums on any number of threads. On two cores it costs an RNN of 256 units 12 % of
# its speed, a GRU 6 % and an LSTM 4 %. MKL has it for Intel's processors. The AMD processors that
# were tried need no setting.
ORDER_OF_SUMS = "AUTO,STRICT"


def prepare_process() -> None:
    """Make this process reproducible, and let it keep the memory that it frees.

    Variables that the environment already sets keep their values.
    """
    if _is_intel():
        os.environ.setdefault("MKL_CBWR", ORDER_OF_SUMS)
    # At its first use a function finds out what the processor can do. Two threads may do that at
    # once with different results; then one run in five had other last digits.
    for function in (torch.exp, torch.tanh, torch.log):
        function(torch.ones(1))
    keep_freed_memory()


def _is_intel() -> bool:
    described = platform.processor()
    with contextlib.suppress(OSError):
        described += Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    return "GenuineIntel" in described


# From malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
# Larger blocks are rare: for example, a table of a million tokens.
_KEPT_BYTES = 2**30


def keep_freed_memory() -> None:
    """Keep freed memory for the next allocations; do nothing if the C library is not glibc."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        library = _c_library()
        library.mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def give_back_freed_memory() -> None:
    """Return the memory that is free now to the system."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        _c_library().malloc_trim(0)


def _c_library() -> Any:
    return ctypes.CDLL(None)
