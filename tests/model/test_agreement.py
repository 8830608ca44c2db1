"""Every network, in every precision, against the same in float64 on a CPU."""

from __future__ import annotations

import pytest
import torch

from experiments.gpu.agreement import BOUNDS, VOCABULARIES, compare
from experiments.speed.sizes import Size
from rnnlm.model.cells import cells
from rnnlm.model.features import features


@pytest.mark.parametrize("cell", cells())
@pytest.mark.parametrize("kind", features())
@pytest.mark.parametrize("V", VOCABULARIES)
def test_values_and_gradients_are_those_of_float64(
    cell: str, kind: str, V: int, device: torch.device
) -> None:
    size = Size(V, 16, 32, 2, 10, 8) if device.type == "cpu" else Size(V, 96, 256, 2, 35, 32)
    found = dict(compare(cell, kind, size, device))
    assert {"64-true", "32-true", "bf16-mixed"} <= set(found)
    for precision, agreement in found.items():
        assert agreement.worst <= BOUNDS[precision], (precision, agreement)
