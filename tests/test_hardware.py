"""rnnlm/hardware.py"""

from __future__ import annotations

import torch

from rnnlm.hardware import peak_memory_mb, reset_peak_memory

CPU = torch.device("cpu")


def test_a_peak_is_seen_and_forgotten_at_the_reset() -> None:
    reset_peak_memory(CPU)
    before = peak_memory_mb(CPU)
    held = torch.ones(100_000_000, dtype=torch.uint8)
    with_it = peak_memory_mb(CPU)
    del held
    reset_peak_memory(CPU)
    after = peak_memory_mb(CPU)
    assert before is not None
    assert with_it is not None
    assert after is not None
    assert with_it - before > 90
    assert with_it - after > 90
