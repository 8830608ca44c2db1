"""rnnlm/model/scan.py: the backward passes written by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from rnnlm.model.cells import Cell, cells
from rnnlm.model.layer_input import Lookup
from tests.support.networks import H, cell_of

CASES = [*((name, "tanh") for name in cells()), ("rnn", "relu")]
every_case = pytest.mark.parametrize(("name", "nonlinearity"), CASES)


@every_case
@pytest.mark.parametrize("steps", [1, 5])
def test_gradients_are_those_of_finite_differences(
    name: str, nonlinearity: str, steps: int
) -> None:
    cell = cell_of(name, nonlinearity).double()
    gates = torch.randn(steps, 3, cell.num_gates * H, dtype=torch.float64, requires_grad=True)
    state = tuple(
        torch.randn(3, H, dtype=torch.float64, requires_grad=True) for _ in range(cell.num_states)
    )

    def outputs_and_state(gates: Tensor, weight: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        outputs, last = cell.scan(gates, weight, state, torch.float64)
        return (outputs, *last)

    assert gradcheck(outputs_and_state, (gates, cell.weight_hh, *state))


@every_case
def test_the_scan_can_be_gone_back_through_twice(name: str, nonlinearity: str) -> None:
    cell = cell_of(name, nonlinearity)
    gates = torch.randn(5, 3, cell.num_gates * H, requires_grad=True)
    outputs, _ = cell.scan(gates, cell.weight_hh, cell.zero_state(3), torch.float32)
    first, second = (
        torch.autograd.grad(outputs.square().sum(), gates, retain_graph=True)[0] for _ in range(2)
    )
    assert torch.equal(first, second)


def test_nothing_is_kept_without_gradients() -> None:
    cell = cell_of("gru", "tanh")
    with torch.no_grad():
        outputs, state = cell(Lookup(torch.randn(3, 2, 3 * H)), None)
    assert outputs.grad_fn is None
    assert state[0].grad_fn is None


@every_case
def test_the_scan_of_a_cell_does_its_steps(name: str, nonlinearity: str) -> None:
    cell = cell_of(name, nonlinearity).double()
    gates = torch.randn(5, 3, cell.num_gates * H, dtype=torch.float64)
    state = tuple(torch.randn(3, H, dtype=torch.float64) for _ in range(cell.num_states))
    with torch.no_grad():
        expected, expected_last = cell.scan(gates, cell.weight_hh, state, torch.float64)
        outputs, last = Cell.scan(cell, gates, cell.weight_hh, state, torch.float64)
    torch.testing.assert_close(outputs, expected, atol=1e-12, rtol=1e-12)
    torch.testing.assert_close(last, expected_last, atol=1e-12, rtol=1e-12)
