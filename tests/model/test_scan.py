"""rnnlm/model/scan.py: the backward passes written by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from rnnlm.model.cells import RNNConfig, RNNNonlinearity, cells

CASES = [*((name, "tanh") for name in cells()), ("rnn", "relu")]


@pytest.mark.parametrize(("name", "nonlinearity"), CASES)
@pytest.mark.parametrize("steps", [1, 5])
def test_gradients_are_those_of_finite_differences(
    name: str, nonlinearity: str, steps: int
) -> None:
    torch.manual_seed(0)
    kind = cells()[name]
    config = kind.Config(cell=name, hidden_size=4)
    if isinstance(config, RNNConfig):
        config.nonlinearity = RNNNonlinearity(nonlinearity)
    cell = kind(config).double()
    gates = torch.randn(steps, 3, cell.num_gates * 4, dtype=torch.float64, requires_grad=True)
    state = tuple(
        torch.randn(3, 4, dtype=torch.float64, requires_grad=True) for _ in range(cell.num_states)
    )

    def outputs_and_state(
        gates: Tensor, weight_hh: Tensor, bias_hh: Tensor, *state: Tensor
    ) -> tuple[Tensor, ...]:
        parameters = {"weight_hh": weight_hh, "bias_hh": bias_hh}
        outputs, last = torch.func.functional_call(cell, parameters, (gates, state))
        return (outputs, *last)

    assert gradcheck(outputs_and_state, (gates, cell.weight_hh, cell.bias_hh, *state))


def test_nothing_is_kept_without_gradients() -> None:
    cell = cells()["lstm"](cells()["lstm"].Config(cell="lstm", hidden_size=4))
    with torch.no_grad():
        outputs, state = cell(torch.randn(3, 2, 16), None)
    assert outputs.grad_fn is None
    assert state[0].grad_fn is None
