"""Dynamic evaluation: the weights learn on from each piece of the text once it has been predicted.

B. Krause, E. Kahembwe, I. Murray and S. Renals, "Dynamic evaluation of neural sequence models",
ICML 2018, equations 5 to 7: steps are divided by the root of the mean square of each weight's
gradient in training, and a weight is drawn back to what it was trained to be, the more the larger
that root is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnlm.data.batching import Batch
from rnnlm.model.language_model import LanguageModel, State, detach

# Added to each root, as a share of the mean of all: a weight that hardly had a gradient in training
# would else make the longest steps.
EPSILON = 0.1
# Step lengths, from the shortest, and where to begin; shares drawn back, from none.
RATES = (3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3)
FIRST_RATE = 3
DECAYS = (0.0, 1e-3, 3e-3, 1e-2, 3e-2)


@dataclass(frozen=True)
class DynamicSettings:
    """What is chosen on validation: the length of a step, and the share drawn back after it."""

    lr: float
    decay: float


def gradient_roots(network: LanguageModel, segments: Iterable[Batch]) -> list[Tensor]:
    """Of each weight the root of its gradient's mean square over segments of the training text."""
    squares = [torch.zeros_like(parameter) for parameter in network.parameters()]
    state: State | None = None
    count = 0
    with torch.enable_grad():
        for batch in segments:
            carried = None if batch.starts else state
            nats, state = network.nats(batch.inputs_TB, batch.targets_TB, carried)
            state = detach(state)
            (nats / max(1, batch.num_tokens)).backward()
            for square, gradient in zip(squares, taken_gradients(network), strict=True):
                square.addcmul_(gradient, gradient)
            count += 1
    return [square.div_(max(1, count)).sqrt_() for square in squares]


def taken_gradients(network: LanguageModel) -> list[Tensor]:
    """The gradients, dense, which the parameters are then without."""
    gradients = []
    for parameter in network.parameters():
        gradient = parameter.grad
        gradients.append(torch.zeros_like(parameter) if gradient is None else gradient)
        parameter.grad = None
    return gradients


class DynamicEvaluation:
    """Moves a network's weights, and puts them back.

    Args:
        roots: of `gradient_roots`.
    """

    def __init__(
        self, network: LanguageModel, roots: Sequence[Tensor], settings: DynamicSettings
    ) -> None:
        self._network = network
        self._weights = [parameter.detach() for parameter in network.parameters()]
        self._trained = [weight.clone() for weight in self._weights]
        mean = sum(float(r.sum()) for r in roots) / sum(r.numel() for r in roots)
        self._step = [-settings.lr / (root + EPSILON * mean) for root in roots]
        # No further than back.
        self._pull = [(settings.decay / mean * root).clamp_(max=1.0) for root in roots]

    def learn(self) -> None:
        """A step by the gradients at hand, which are taken away."""
        torch._foreach_addcmul_(self._weights, taken_gradients(self._network), self._step)
        if any(bool(pull.any()) for pull in self._pull[:1]):
            away = torch._foreach_sub(self._trained, self._weights)
            torch._foreach_addcmul_(self._weights, away, self._pull)

    def put_back(self) -> None:
        """The weights as they were trained."""
        torch._foreach_copy_(self._weights, self._trained)


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
