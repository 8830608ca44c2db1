"""Noticing the first training step after which there is nothing left to train."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from rnnlm.metrics import perplexity


class DivergedError(FloatingPointError):
    """A loss whose perplexity is beyond all numbers: training cannot go on from here."""


class Divergence:
    """Watches the losses of training steps.

    On a CPU every loss is looked at as it comes. On a GPU a look waits for the device, so they are
    looked at together, some steps later; the step that is named is still the first.
    """

    STEPS_BETWEEN_LOOKS = 100  # of a GPU

    def __init__(self) -> None:
        self._unseen: list[tuple[int, Tensor]] = []

    def watch(self, loss: Tensor, step: int) -> None:
        """Look at the scalar loss of a step, now or later.

        Raises:
            DivergedError: its perplexity, or that of one before, is not finite.
        """
        if loss.device.type == "cpu":
            refuse_divergence("training", loss.item(), step)
            return
        self._unseen.append((step, loss.detach()))
        if len(self._unseen) >= self.STEPS_BETWEEN_LOOKS:
            self.look()

    def look(self) -> None:
        """Look at the losses that have not been looked at.

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
    """Refuse a loss, in nats per token, that training cannot go on from.

    Raises:
        DivergedError: its perplexity is not finite.
    """
    if not math.isfinite(perplexity(loss)):
        raise DivergedError(
            f"the {name} loss is {loss} at step {step}; "
            "a lower optimizer.lr or trainer.gradient_clip_val may help"
        )
