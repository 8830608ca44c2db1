"""Batches of streams whose number of steps varies: truncation at other places in every epoch."""

from __future__ import annotations

import torch

# One batch in so many is half as long as the others.
HALVED = 20
# All vary by a standard deviation of so many steps, or of an eighth where that is less.
STEPS, SHARE = 5.0, 1 / 8


def variable_ends(length: int, count: int, generator: torch.Generator) -> list[int]:
    """Where each of `count` batches ends in a stream: their steps vary about length / count.

    As in Merity et al. 2018, section 4.1; but then they are stretched a little, so that an epoch
    has the same number of batches whatever is drawn.
    """
    usual = length / count
    halved = torch.rand(count, generator=generator) < 1 / HALVED
    varied = torch.randn(count, generator=generator) * min(STEPS, usual * SHARE)
    parts = (torch.where(halved, usual / 2, usual) + varied).clamp(min=usual * SHARE).double()
    ends = (parts.cumsum(0) * (length / parts.sum())).round().long()
    # None is empty, however short they are.
    index = torch.arange(count)
    ends = (ends - index).clamp(min=1).cummax(0).values + index
    return torch.minimum(ends, index + 1 + length - count).tolist()
