"""Gradient clipping, also where a gradient has only some rows of its parameter."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm


def clip_by_norm(parameters: Iterable[nn.Parameter], limit: float) -> None:
    """Scale all gradients together so that their norm is at most the limit.

    As `torch.nn.utils.clip_grad_norm_` (Pascanu et al. 2013), which cannot take sparse gradients,
    and which on a CPU takes the time to multiply with 1 where the norm is below the limit.
    """
    values = _values(parameters)
    scale = limit / (get_total_norm(values) + 1e-6)
    # On a GPU it would have to be waited for whether the norm is below.
    if scale.is_cuda or scale < 1:
        scale = scale.clamp(max=1)
        for gradient in values:
            gradient.mul_(scale)


def clip_by_value(parameters: Iterable[nn.Parameter], limit: float) -> None:
    """Bring every entry of every gradient into [-limit, limit]."""
    for gradient in _values(parameters):
        gradient.clamp_(-limit, limit)


def _values(parameters: Iterable[nn.Parameter]) -> list[Tensor]:
    """The gradients' entries, each once, in their own memory."""
    values = []
    for parameter in parameters:
        if parameter.grad is None:
            continue
        if parameter.grad.is_sparse:
            parameter.grad = parameter.grad.coalesce()
            # The values themselves: `values` would be cut off from what is changed in place.
            with torch.no_grad():
                values.append(parameter.grad._values())
        else:
            values.append(parameter.grad)
    return values
