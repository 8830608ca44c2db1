"""From logits to the next token.

Everything is computed in float64, and a temperature divides what is not above 0, so that none
overflows and some token always remains.

Shapes: B batch, V vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor

IMPOSSIBLE = -torch.inf
_BELOW_ONE = 1 - 2**-50


def penalised(logits_BV: Tensor, seen_BV: Tensor, penalty: float) -> Tensor:
    """Logits with those of seen tokens made smaller (Keskar et al. 2019, section 4.1).

    The paper divides by the penalty, which would make negative logits larger: these are multiplied.
    """
    of_seen_BV = torch.where(logits_BV > 0, logits_BV / penalty, logits_BV * penalty)
    return torch.where(seen_BV, of_seen_BV, logits_BV)


def tempered(logits_BV: Tensor, temperature: float) -> Tensor:
    """Logits divided by a temperature above 0, but for what is common to all."""
    if temperature == 1:
        return logits_BV
    return (logits_BV - logits_BV.amax(1, keepdim=True)) / temperature


def top_k(logits_BV: Tensor, k: int) -> Tensor:
    """The k largest logits; of equal ones those of the smallest indices."""
    if k >= logits_BV.shape[1]:
        return logits_BV
    smallest_B1 = logits_BV.topk(k).values[:, -1:]
    above_BV, equal_BV = logits_BV > smallest_B1, logits_BV == smallest_B1
    room_B1 = k - above_BV.sum(1, keepdim=True)
    kept_BV = above_BV | (equal_BV & (equal_BV.cumsum(1) <= room_B1))
    return logits_BV.masked_fill(~kept_BV, IMPOSSIBLE)


def top_p(logits_BV: Tensor, p: float) -> Tensor:
    """The fewest largest logits whose probabilities add up to at least p; always one."""
    sorted_BV, order_BV = logits_BV.sort(descending=True, stable=True)
    p_BV = sorted_BV.softmax(1)
    # What is left out has all of p before it.
    before_BV = p_BV.cumsum(1) - p_BV
    left_out_BV = before_BV >= p
    left_out_BV[:, 0] = False
    left_out_BV = torch.zeros_like(left_out_BV).scatter(1, order_BV, left_out_BV)
    return logits_BV.masked_fill(left_out_BV, IMPOSSIBLE)


def draw(logits_BV: Tensor, uniform_B: Tensor) -> Tensor:
    """Tokens (B,) drawn from the softmax of logits.

    Args:
        uniform_B: in [0, 1), float64: where in the cumulative distribution each is.
    """
    cumulative_BV = logits_BV.softmax(1).cumsum(1)
    # By rounding it must not come to the total, which no token is above.
    looked_for_B1 = (uniform_B * _BELOW_ONE).unsqueeze(1) * cumulative_BV[:, -1:]
    # Strictly above what is looked for: a token without probability is never there.
    return torch.searchsorted(cumulative_BV, looked_for_B1, right=True).squeeze(1)
