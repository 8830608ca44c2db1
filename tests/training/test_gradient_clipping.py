"""rnnlm/training/gradient_clipping.py"""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from rnnlm.training.gradient_clipping import clip_by_norm, clip_by_value


def parameters_with_gradients(sparse: bool) -> list[nn.Parameter]:
    """An embedding of which some rows are used, one of them twice, and a weight."""
    torch.manual_seed(0)
    table, weight = nn.Parameter(torch.randn(9, 4)), nn.Parameter(torch.randn(4, 4))
    unused = nn.Parameter(torch.randn(2))
    rows = nn.functional.embedding(torch.tensor([3, 1, 3, 7]), table, sparse=sparse)
    (rows @ weight).square().sum().backward()
    return [table, weight, unused]


def gradients(parameters: list[nn.Parameter]) -> list[torch.Tensor]:
    return [p.grad.to_dense() for p in parameters if p.grad is not None]


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("limit", [0.1, 1e6])
def test_the_norm_is_clipped_as_torch_clips_it(sparse: bool, limit: float) -> None:
    ours, expected = parameters_with_gradients(sparse), parameters_with_gradients(False)
    clip_by_norm(ours, limit)
    nn.utils.clip_grad_norm_(expected, limit)
    torch.testing.assert_close(gradients(ours), gradients(expected))
    assert ours[0].grad is not None
    assert ours[0].grad.is_sparse == sparse


def test_a_norm_below_the_limit_changes_nothing() -> None:
    parameters = parameters_with_gradients(False)
    before = copy.deepcopy(gradients(parameters))
    clip_by_norm(parameters, 1e6)
    assert all(map(torch.equal, before, gradients(parameters)))


@pytest.mark.parametrize("sparse", [False, True])
def test_values_are_clipped_as_torch_clips_them(sparse: bool) -> None:
    ours, expected = parameters_with_gradients(sparse), parameters_with_gradients(False)
    clip_by_value(ours, 0.5)
    nn.utils.clip_grad_value_(expected, 0.5)
    torch.testing.assert_close(gradients(ours), gradients(expected))
