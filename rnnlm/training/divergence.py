"""Stop training at the first step whose loss is not finite, and save no weights that are not."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from rnnlm.metrics import perplexity

_ADVICE = "a lower optimizer.lr or trainer.gradient_clip_val may help"


class DivergedError(FloatingPointError):
    """A loss, its perplexity or a weight is not finite: training cannot go on."""


class DivergenceCheck:
    """Checks the losses of training steps.

    On a CPU every loss is checked at once. On a GPU reading a loss waits for the device, so losses
    are read together, some steps later; the error still names the first bad step.
    """

    STEPS_BETWEEN_CHECKS = 100  # on a GPU

    def __init__(self) -> None:
        self._unseen: list[tuple[int, Tensor]] = []

    def add(self, loss: Tensor, step: int) -> None:
        """Check the scalar loss of a step, now or later.

        Raises:
            DivergedError: the perplexity of this step or an earlier one is not finite.
        """
        if loss.device.type == "cpu":
            refuse_divergence("training", loss.item(), step)
            return
        # A CUDA graph writes the next loss to the same place.
        self._unseen.append((step, loss.detach().clone()))
        if len(self._unseen) >= self.STEPS_BETWEEN_CHECKS:
            self.check()

    def check(self) -> None:
        """Check the losses that have not been checked yet.

        Raises:
            DivergedError: the perplexity of one of them is not finite.
        """
        if not self._unseen:
            return
        steps, losses = zip(*self._unseen, strict=True)
        self._unseen = []
        for step, loss in zip(steps, torch.stack(losses).tolist(), strict=True):
            refuse_divergence("training", loss, step)


def refuse_divergence(name: str, loss: float, step: int) -> None:
    """Raise an error for a loss, in nats per token, that is too large or no number.

    Raises:
        DivergedError: its perplexity is not finite.
    """
    if not math.isfinite(perplexity(loss)):
        raise DivergedError(f"the {name} loss is {loss} at step {step}; {_ADVICE}")


def refuse_diverged_weights(weights: Iterable[Tensor], step: int) -> None:
    """Raise an error for weights, all on one device, that are no finite numbers after a step.

    Raises:
        DivergedError: there is such a weight.
    """
    if not torch.stack([weight.isfinite().all() for weight in weights]).all():
        raise DivergedError(f"a weight is not finite after step {step}; {_ADVICE}")
