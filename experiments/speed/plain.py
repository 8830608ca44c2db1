"""This project's network, trained in a plain loop.

Shapes: T time, B batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from rnnlm.model.language_model import LanguageModel, State, detach
from rnnlm.training.optimizer import OptimizerConfig, build_optimizer

CLIP = 1.0


def plain_step(
    network: LanguageModel, batches: Iterator[tuple[Tensor, Tensor]], optimizer: OptimizerConfig
) -> Callable[[], None]:
    """Return a function that trains one step, with clipping and a carried state.

    Args:
        batches: inputs and targets, each (T, B).
    """
    updates = build_optimizer(optimizer, network.parameters(), fused=True)
    state: State | None = None

    def step() -> None:
        nonlocal state
        inputs_TB, targets_TB = next(batches)
        nats, state = network.nats(inputs_TB, targets_TB, state)
        state = detach(state)
        updates.zero_grad()
        (nats / targets_TB.numel()).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        updates.step()

    return step
