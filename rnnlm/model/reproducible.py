"""The same bits in every run and on any number of threads: what MKL needs for that.

PyTorch leaves some products and functions to MKL, which must be told before its first use.
"""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path

import torch

# How sums are ordered: alike on any number of threads. It costs an RNN of 256 units 12 % of its
# speed on two cores, a GRU 6 % and an LSTM 4 %. MKL has it for Intel's processors; on AMD's that
# were tried, sums are alike without it.
ORDER_OF_SUMS = "AUTO,STRICT"


def settle() -> None:
    """Make what MKL computes reproducible; what is set in the environment stays."""
    if _is_intel():
        os.environ.setdefault("MKL_CBWR", ORDER_OF_SUMS)
    # A function finds out what the processor can do when it is first used. Two threads at once may
    # come to different answers, and then one run in five had other last digits.
    for function in (torch.exp, torch.tanh, torch.log):
        function(torch.ones(1))


def _is_intel() -> bool:
    described = platform.processor()
    with contextlib.suppress(OSError):
        described += Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    return "GenuineIntel" in described
