"""rnnlm/model/gpu_scan.py against the other scan; without a GPU Triton interprets the kernels."""

from __future__ import annotations

import os
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import Function

from rnnlm.model import gpu_scan
from rnnlm.model.gpu_scan import GPUGRUScan, GPULSTMScan, GPURNNScan
from rnnlm.model.scan import GRUScan, LSTMScan, RNNScan

pytestmark = pytest.mark.skipif(not gpu_scan.HAS_TRITON, reason="Triton is not installed")

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
if DEVICE == "cpu":
    # Triton reads it where kernels are defined, which is when the first scan runs.
    os.environ.setdefault("TRITON_INTERPRET", "1")
# More than one program, the last of them not full.
T, B, H = 4, 11, 40
SCANS: dict[str, tuple[int, type[Function], type[Function], list[Any]]] = {
    "rnn tanh": (1, RNNScan, GPURNNScan, [False]),
    "rnn relu": (1, RNNScan, GPURNNScan, [True]),
    "lstm": (4, LSTMScan, GPULSTMScan, []),
    "gru": (3, GRUScan, GPUGRUScan, []),
}


def parameter(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(*shape, device=DEVICE))


def inputs_of(name: str) -> list[nn.Parameter]:
    """The tensors that a scan takes, in its order."""
    torch.manual_seed(0)
    gates = SCANS[name][0] * H
    inputs = [parameter(T, B, gates), nn.Parameter(0.2 * torch.randn(gates, H, device=DEVICE))]
    if name == "gru":
        inputs.append(parameter(H))
    states = 2 if name == "lstm" else 1
    return [*inputs, *(parameter(B, H) for _ in range(states))]


def value_and_gradients(
    scan: type[Function], name: str, dtype: torch.dtype
) -> tuple[list[Tensor], tuple[Tensor, ...]]:
    inputs = inputs_of(name)
    results = scan.apply(*inputs, *SCANS[name][3], dtype)
    parts = list(results) if isinstance(results, tuple) else [results]
    total = sum((part.sin().sum() for part in parts), torch.zeros((), device=DEVICE))
    return parts, torch.autograd.grad(total, inputs)


@pytest.mark.parametrize("name", SCANS)
def test_value_and_gradients_are_those_of_the_other_scan(name: str) -> None:
    _, other, ours, _ = SCANS[name]
    expected = value_and_gradients(other, name, torch.float32)
    found = value_and_gradients(ours, name, torch.float32)
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=2e-5)


@pytest.mark.parametrize("name", SCANS)
def test_with_rounded_factors_states_stay_float32(name: str) -> None:
    exact_values, exact_gradients = value_and_gradients(SCANS[name][2], name, torch.float32)
    values, gradients = value_and_gradients(SCANS[name][2], name, torch.bfloat16)
    assert {part.dtype for part in (*values, *gradients)} == {torch.float32}
    for found, expected in zip(
        (*values, *gradients), (*exact_values, *exact_gradients), strict=True
    ):
        error = (found - expected).norm() / expected.norm()
        # Rounding switches some of the units of relu on or off.
        assert 0 < error < (0.2 if name == "rnn relu" else 0.02)


@pytest.mark.parametrize("name", SCANS)
def test_a_state_that_needs_no_gradient_costs_no_product(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = inputs_of(name)
    count = 0

    def counted(x: Tensor, weight: Tensor) -> Tensor:
        nonlocal count
        count += 1
        return x @ weight

    monkeypatch.setattr(gpu_scan, "multiply", counted)
    states = [state.detach() for state in inputs[-2 if name == "lstm" else -1 :]]
    inputs = inputs[: -len(states)]
    results = SCANS[name][2].apply(*inputs, *states, *SCANS[name][3], torch.float32)
    first = results[0] if isinstance(results, tuple) else results
    torch.autograd.grad(first.sum(), inputs)
    # T forward, one fewer backward, and the gradient of the weights.
    assert count == T + (T - 1) + 1


def test_only_float32_on_a_gpu_is_scanned_here() -> None:
    assert not gpu_scan.runs_on_gpu(torch.zeros(1))
    if DEVICE == "cuda":
        assert gpu_scan.runs_on_gpu(torch.zeros(1, device=DEVICE))
        assert not gpu_scan.runs_on_gpu(torch.zeros(1, device=DEVICE, dtype=torch.float64))
