"""experiments/gpu/training.py: what the Trainer leaves behind and trains, on each device."""

from __future__ import annotations

import pytest
import torch

from experiments.gpu.agreement import error
from experiments.gpu.training import (
    MOST_APART,
    OPTIMIZERS,
    Steps,
    flags_changed_by_run,
    in_a_plain_loop,
    trained_weights,
    waits,
    weights,
)
from experiments.speed.sizes import Size, build_network, zipf_batches
from rnnlm.model.cells import cells
from tests.conftest import TINY

SMALL = Size(V=28, E=16, H=32, L=1, T=10, B=8)
STEPS = 40
# Here nothing is validated.
pytestmark = pytest.mark.filterwarnings("ignore:.*have no `val_dataloader`")


@pytest.mark.parametrize("cell", cells())
@pytest.mark.parametrize("precision", MOST_APART)
def test_weights_are_those_of_a_plain_loop(cell: str, precision: str, device: torch.device) -> None:
    plain = build_network(cell, "embed", SMALL).to(device)
    if precision == "64-true":
        plain = plain.double()
    untrained = weights(plain)
    in_a_plain_loop(plain, Steps(zipf_batches(SMALL, device, 8), STEPS))
    trained = trained_weights(cell, "embed", SMALL, device, precision, STEPS)
    assert error(trained, weights(plain)) <= MOST_APART[precision]
    assert error(trained, untrained) > 2 * MOST_APART[precision]


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_run_leaves_global_flags_as_they_were(precision: str, device: torch.device) -> None:
    on_device = [f"trainer.accelerator={device.type}", f"trainer.precision={precision}"]
    assert flags_changed_by_run(*TINY, *on_device) == []


@pytest.mark.gpu
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_step_does_not_wait_for_the_gpu(optimizer: str) -> None:
    # One look for a divergence in a hundred steps.
    seen = waits(SMALL, torch.device("cuda"), "32-true", OPTIMIZERS[optimizer])
    assert seen.total() <= 2, seen
