"""From logits to the next token.

Everything is computed in float64. A temperature divides logits of which the largest is 0, so that
nothing overflows and some token always remains.

Shapes: B batch, V vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor

IMPOSSIBLE = -torch.inf
_BELOW_ONE = 1 - 2**-50


def penalised(logits_BV: Tensor, seen_BV: Tensor, penalty: float) -> Tensor:
    """Return logits with smaller ones for seen tokens (Keskar et al. 2019, section 4.1).

    The paper divides by the penalty, which would make negative logits larger: multiply those.
    """
    smaller_BV = torch.where(logits_BV > 0, logits_BV / penalty, logits_BV * penalty)
    return torch.where(seen_BV, smaller_BV, logits_BV)


def tempered(logits_BV: Tensor, temperature: float) -> Tensor:
    """Return logits divided by a temperature above 0, up to a constant for each text."""
    if temperature == 1:
        return logits_BV
    return (logits_BV - logits_BV.amax(1, keepdim=True)) / temperature


def top_k(logits_BV: Tensor, k: int) -> Tensor:
    """Keep the k largest logits; among equal ones, those of the smallest indices."""
    if k >= logits_BV.shape[1]:
        return logits_BV
    smallest_B1 = logits_BV.topk(k).values[:, -1:]
    above_BV, equal_BV = logits_BV > smallest_B1, logits_BV == smallest_B1
    missing_B1 = k - above_BV.sum(1, keepdim=True)
    kept_BV = above_BV | (equal_BV & (equal_BV.cumsum(1) <= missing_B1))
    return logits_BV.masked_fill(~kept_BV, IMPOSSIBLE)


def top_p(logits_BV: Tensor, p: float) -> Tensor:
    """Keep the fewest largest logits whose probabilities add up to at least p, at least one."""
    sorted_BV, order_BV = logits_BV.sort(descending=True, stable=True)
    p_BV = sorted_BV.softmax(1)
    # A token is left out if the probabilities of likelier tokens add up to p.
    before_BV = p_BV.cumsum(1) - p_BV
    left_out_BV = before_BV >= p
    left_out_BV[:, 0] = False
    left_out_BV = torch.zeros_like(left_out_BV).scatter(1, order_BV, left_out_BV)
    return logits_BV.masked_fill(left_out_BV, IMPOSSIBLE)


def draw(logits_BV: Tensor, uniform_B: Tensor) -> Tensor:
    """Draw tokens, (B,), from the softmax of logits.

    Args:
        uniform_B: float64 in [0, 1), the place of each token in the cumulative distribution.
    """
    cumulative_BV = logits_BV.softmax(1).cumsum(1)
    # Keep it strictly below the total, or rounding would select no token.
    place_B1 = (uniform_B * _BELOW_ONE).unsqueeze(1) * cumulative_BV[:, -1:]
    # Take the first token strictly above it, so that no token of probability 0 is ever drawn.
    return torch.searchsorted(cumulative_BV, place_B1, right=True).squeeze(1)
