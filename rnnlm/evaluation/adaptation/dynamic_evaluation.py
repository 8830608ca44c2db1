"""Dynamic evaluation: the weights go on learning from each segment of the text after predicting it.

B. Krause, E. Kahembwe, I. Murray and S. Renals, "Dynamic evaluation of neural sequence models",
ICML 2018, equations 5 to 7. A step of a weight is divided by the root mean square of its gradient
in training. Then the weight is pulled back to its trained value, the more the larger that root is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnlm.data.batching import Batch
from rnnlm.model.language_model import LanguageModel, State, detach

# A share of the mean root that is added to each root. Without it, weights that had almost no
# gradient in training would make the longest steps.
EPSILON = 0.1
# The learning rates and decays to try, and the index of the first rate.
RATES = (3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3)
FIRST_RATE = 3
DECAYS = (0.0, 1e-3, 3e-3, 1e-2, 3e-2)


@dataclass(frozen=True)
class DynamicSettings:
    """The learning rate of a step, and the decay towards the trained weights after it."""

    lr: float
    decay: float


def gradient_roots(network: LanguageModel, segments: Iterable[Batch]) -> list[Tensor]:
    """Return the root mean square of each weight's gradient over segments of the train split."""
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
    """Take the gradients away from the parameters; a parameter without one has zeros."""
    gradients = []
    for parameter in network.parameters():
        gradient = parameter.grad
        gradients.append(torch.zeros_like(parameter) if gradient is None else gradient)
        parameter.grad = None
    return gradients


class DynamicEvaluation:
    """Moves a network's weights, and puts them back.

    Args:
        roots: the result of `gradient_roots`.
    """

    def __init__(
        self, network: LanguageModel, roots: Sequence[Tensor], settings: DynamicSettings
    ) -> None:
        self._network = network
        self._weights = [parameter.detach() for parameter in network.parameters()]
        self._trained = [weight.clone() for weight in self._weights]
        self._decays = settings.decay > 0
        mean = sum(float(r.sum()) for r in roots) / sum(r.numel() for r in roots)
        self._step = [-settings.lr / (root + EPSILON * mean) for root in roots]
        # At most 1: never pull past the trained weight.
        self._pull = [(settings.decay / mean * root).clamp_(max=1.0) for root in roots]

    def learn(self) -> None:
        """Do a step with the parameters' gradients, and take these away."""
        torch._foreach_addcmul_(self._weights, taken_gradients(self._network), self._step)
        if self._decays:
            distances = [t - w for t, w in zip(self._trained, self._weights, strict=True)]
            torch._foreach_addcmul_(self._weights, distances, self._pull)

    def put_back(self) -> None:
        """Put the trained weights back."""
        torch._foreach_copy_(self._weights, self._trained)


def best_settings(loss_of: Callable[[DynamicSettings], float]) -> DynamicSettings:
    """Return the settings with the lowest loss: the best rate without decay, then the decay."""
    rate = climb(RATES, FIRST_RATE, lambda lr: loss_of(DynamicSettings(lr, DECAYS[0])))
    decay = climb(DECAYS, 0, lambda decay: loss_of(DynamicSettings(rate, decay)))
    return DynamicSettings(rate, decay)


def climb(values: Sequence[float], start: int, loss_of: Callable[[float], float]) -> float:
    """Return a value with no lower loss beside it, found by hill climbing from index `start`."""
    losses: dict[int, float] = {}
    index = start
    while True:
        for near in (index, index - 1, index + 1):
            if 0 <= near < len(values) and near not in losses:
                loss = loss_of(values[near])
                losses[near] = math.inf if math.isnan(loss) else loss
        lowest = min(losses, key=lambda near: losses[near])
        if lowest == index:
            return values[index]
        index = lowest
