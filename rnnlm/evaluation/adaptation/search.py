"""Choosing the settings of dynamic evaluation on the validation split."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from rnnlm.evaluation.adaptation.dynamic_evaluation import DynamicSettings

# Step lengths, from the shortest, and where to begin; shares drawn back, from none.
RATES = (3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3)
FIRST_RATE = 3
DECAYS = (0.0, 1e-3, 3e-3, 1e-2, 3e-2)


def best_settings(loss_of: Callable[[DynamicSettings], float]) -> DynamicSettings:
    """The settings with the lowest loss: first the step without any decay, then the decay."""
    rate = climb(RATES, FIRST_RATE, lambda lr: loss_of(DynamicSettings(lr, DECAYS[0])))
    decay = climb(DECAYS, 0, lambda decay: loss_of(DynamicSettings(rate, decay)))
    return DynamicSettings(rate, decay)


def climb(values: Sequence[float], start: int, loss_of: Callable[[float], float]) -> float:
    """The value at which neither neighbour has a lower loss, walking from `start`."""
    losses: dict[int, float] = {}
    place = start
    while True:
        for near in (place, place - 1, place + 1):
            if 0 <= near < len(values) and near not in losses:
                loss = loss_of(values[near])
                losses[near] = math.inf if math.isnan(loss) else loss
        lowest = min(losses, key=lambda index: losses[index])
        if lowest == place:
            return values[place]
        place = lowest
