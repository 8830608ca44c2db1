"""rnnlm/training/divergence.py."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from rnnlm.training.divergence import DivergedError, DivergenceCheck, refuse_diverged_weights


@pytest.mark.parametrize("loss", [math.nan, math.inf, 1e4])
def test_the_step_is_named_at_once_on_a_cpu(loss: float) -> None:
    divergence = DivergenceCheck()
    divergence.add(torch.tensor(9.0), 1)
    with pytest.raises(DivergedError, match=r"at step 2; a lower optimizer\.lr"):
        divergence.add(torch.tensor(loss), 2)


class OnAnotherDevice:
    """A loss that is not on the CPU, and says when it is looked at."""

    def __init__(self, loss: float) -> None:
        self.loss = loss
        self.device = torch.device("meta")

    def detach(self) -> Tensor:
        return torch.tensor(self.loss)

    def item(self) -> float:
        raise AssertionError("waits for the device at every step")


def test_elsewhere_the_first_step_is_named_some_steps_later() -> None:
    divergence = DivergenceCheck()
    losses = [2.0] * 30 + [math.inf] + [math.nan] * 200
    for step in range(1, DivergenceCheck.STEPS_BETWEEN_CHECKS):
        divergence.add(OnAnotherDevice(losses[step - 1]), step)  # type: ignore[arg-type]
    with pytest.raises(DivergedError, match="the training loss is inf at step 31;"):
        divergence.add(OnAnotherDevice(math.nan), 100)  # type: ignore[arg-type]


def test_what_is_left_is_looked_at_when_asked() -> None:
    divergence = DivergenceCheck()
    divergence.add(OnAnotherDevice(math.nan), 7)  # type: ignore[arg-type]
    with pytest.raises(DivergedError, match="at step 7"):
        divergence.check()
    divergence.check()


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_weights_that_are_no_finite_numbers_are_refused(value: float) -> None:
    weights = [torch.ones(3, 4), torch.ones(5, dtype=torch.float64), torch.tensor(7)]
    refuse_diverged_weights(weights, 8)
    weights[0][1, 2] = value
    with pytest.raises(DivergedError, match=r"a weight is not finite after step 8; a lower"):
        refuse_diverged_weights(weights, 8)
