"""A mixture of the probabilities that several models give to the same tokens.

Shapes: M models, N tokens.
"""

from __future__ import annotations

import torch
from torch import Tensor

# The search for weights ends when the loss falls by less than this, in nats per token.
SETTLED = 1e-9
MOST_ROUNDS = 1000


def mixed(probability_MN: Tensor, weight_M: Tensor) -> Tensor:
    """Return the probabilities of the mixture, (N,)."""
    return weight_M @ probability_MN


def best_weights(probability_MN: Tensor) -> Tensor:
    """Return the weights, (M,), with which the mixture has the lowest loss on these tokens.

    Expectation maximisation finds the minimum, since the loss is convex in the weights (Jelinek &
    Mercer 1980). A token to which every model gives probability 0 does not count.

    Args:
        probability_MN: float64.
    """
    probability_MN = probability_MN[:, probability_MN.any(0)]
    weight_M = probability_MN.new_full((len(probability_MN),), 1 / len(probability_MN))
    loss = torch.inf
    for _ in range(MOST_ROUNDS):
        mixed_N = mixed(probability_MN, weight_M)
        before, loss = loss, -mixed_N.log().mean().item()
        if not before - loss > SETTLED:
            break
        weight_M = (weight_M.unsqueeze(1) * probability_MN / mixed_N).mean(1)
    return weight_M
