"""Settings of the whole process: the same bits in every run, and memory that is used again.

`prepare_process` applies them; an entry point calls it before anything is computed.

PyTorch leaves some products and functions to MKL, which must be told before its first use to give
the same bits on any number of threads.

A step frees memory that the next step needs anew. glibc gives blocks beyond 32 MB back to the
system each time, and the system clears them for the next step. On two cores that was a third of a
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

# How sums are ordered: alike on any number of threads. It costs an RNN of 256 units 12 % of its
# speed on two cores, a GRU 6 % and an LSTM 4 %. MKL has it for Intel's processors; on AMD's that
# were tried, sums are alike without it.
ORDER_OF_SUMS = "AUTO,STRICT"


def prepare_process() -> None:
    """Make what this process computes reproducible, and let it keep the memory that it frees.

    A variable that is set in the environment already keeps its value.
    """
    if _is_intel():
        os.environ.setdefault("MKL_CBWR", ORDER_OF_SUMS)
    # A function finds out what the processor can do when it is first used. Two threads at once may
    # come to different answers, and then one run in five had other last digits.
    for function in (torch.exp, torch.tanh, torch.log):
        function(torch.ones(1))
    keep_freed_memory()


def _is_intel() -> bool:
    described = platform.processor()
    with contextlib.suppress(OSError):
        described += Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    return "GenuineIntel" in described


# Of malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
# Blocks beyond it are few, such as a table of a million tokens.
_KEPT_BYTES = 2**30


def keep_freed_memory() -> None:
    """Keep what is freed for what is allocated next; where the C library is another, do nothing."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        library = _c_library()
        library.mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def give_back_freed_memory() -> None:
    """Give the system what is free now."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        _c_library().malloc_trim(0)


def _c_library() -> Any:
    return ctypes.CDLL(None)
