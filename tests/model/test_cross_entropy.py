"""rnnlm/model/cross_entropy.py: the loss in chunks is the loss."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from rnnlm.data.batching import IGNORED
from rnnlm.model import cross_entropy
from rnnlm.model.cross_entropy import linear_cross_entropy

N, H, V = 50, 6, 17


@pytest.fixture(params=["few logits", "one chunk", "chunks", "a row at a time"])
def chunks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param != "few logits":
        monkeypatch.setattr(cross_entropy, "FEW_LOGITS", 0)
    if request.param == "chunks":
        monkeypatch.setattr(cross_entropy, "MOST_LOGITS", 20 * V)
    if request.param == "a row at a time":
        monkeypatch.setattr(cross_entropy, "MOST_LOGITS", 1)


def problem(dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    shapes = (N, H), (V, H), (V,)
    hidden, weight, bias = (torch.randn(s, dtype=dtype, requires_grad=True) for s in shapes)
    return hidden, weight, bias


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("ignored", [0, 7, N])
def test_value_and_gradient_are_those_of_whole_logits(
    chunks: None, dtype: torch.dtype, ignored: int
) -> None:
    hidden, weight, bias = problem(dtype)
    targets = torch.randint(V, (N,))
    targets[torch.randperm(N)[:ignored]] = IGNORED
    expected = functional.cross_entropy(
        functional.linear(hidden, weight, bias), targets, ignore_index=IGNORED, reduction="sum"
    )
    nats = linear_cross_entropy(hidden, weight, bias, targets)
    torch.testing.assert_close(nats, expected)
    inputs = (hidden, weight, bias)
    expected_gradients = torch.autograd.grad(expected / 3, inputs)
    for ours, theirs in zip(torch.autograd.grad(nats / 3, inputs), expected_gradients, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_it_is_the_loss_of_torch_where_torch_has_it(chunks: None) -> None:
    if not hasattr(functional, "linear_cross_entropy"):
        pytest.skip("torch 2.13 brought it")
    hidden, weight, bias = problem(torch.float64)
    targets = torch.randint(V, (N,))
    expected = functional.linear_cross_entropy(
        hidden, weight, targets, linear_bias=bias, reduction="sum"
    )
    torch.testing.assert_close(linear_cross_entropy(hidden, weight, bias, targets), expected)


def test_without_gradients_none_are_made(chunks: None) -> None:
    hidden, weight, bias = problem(torch.float32)
    targets = torch.randint(V, (N,))
    expected = linear_cross_entropy(hidden, weight, bias, targets)
    with torch.no_grad():
        nats = linear_cross_entropy(hidden, weight, bias, targets)
    assert not nats.requires_grad
    assert nats == expected.detach()


@pytest.mark.parametrize("learning", [True, False])
def test_the_logits_are_never_held_whole(monkeypatch: pytest.MonkeyPatch, learning: bool) -> None:
    monkeypatch.setattr(cross_entropy, "FEW_LOGITS", 0)
    monkeypatch.setattr(cross_entropy, "MOST_LOGITS", 10 * V)
    largest = 0

    class Largest(TorchDispatchMode):
        def __torch_dispatch__(
            self, operator: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            nonlocal largest
            result = operator(*args, **(kwargs or {}))
            if isinstance(result, Tensor):
                largest = max(largest, result.numel())
            return result

    hidden, weight, bias = problem(torch.float32)
    largest_tensor = Largest()  # type: ignore[no-untyped-call]
    with largest_tensor, torch.set_grad_enabled(learning):
        nats = linear_cross_entropy(hidden, weight, bias, torch.randint(V, (N,)))
        if learning:
            nats.backward()
    # The hidden states are larger than a chunk's logits here.
    assert 10 * V <= largest <= N * H


def test_a_very_unlikely_target_costs_its_logit() -> None:
    hidden = torch.tensor([[1.0]], requires_grad=True)
    weight = torch.tensor([[0.0], [500.0]])
    nats = linear_cross_entropy(hidden, weight, torch.zeros(2), torch.tensor([0]))
    assert nats.item() == 500
