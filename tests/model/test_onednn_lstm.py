"""rnnlm/model/onednn_lstm.py: PyTorch's kernel against the scan, for all inputs that it takes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from rnnlm.model.cells import LSTM
from rnnlm.model.layer_input import Dense, LayerInput, Lookup
from rnnlm.model.onednn_lstm import onednn_lstm, takes
from tests.support.networks import B, H, T, cell_of

I = 5  # noqa: E741


def parameter(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(*shape, dtype=torch.float64))


def lstm() -> LSTM:
    cell = cell_of("lstm")
    assert isinstance(cell, LSTM)
    return cell


@pytest.mark.parametrize("kind", ["vectors", "few rows"])
def test_value_and_gradient_are_those_of_the_scan(kind: str) -> None:
    cell = lstm().double()
    given: LayerInput
    if kind == "vectors":
        parameters = [parameter(T, B, I), parameter(4 * H, I)]
        given = Dense(parameters[0], parameters[1], cell.input_bias())
    else:
        parameters = [parameter(4, 4 * H)]
        given = Lookup(parameters[0] + cell.input_bias(), torch.randint(4, (T, B)))
    assert takes(given, H)
    state = (parameter(B, H), parameter(B, H))
    inputs = [*parameters, *cell.parameters(), *state]
    fused = onednn_lstm(given, cell.weight_hh, cell.recurrent_bias(), state)
    scanned = cell.scan(given.gates(), cell.weight_hh, state, torch.float64)
    torch.testing.assert_close(fused, scanned)
    gradients = [
        torch.autograd.grad(weighted(*r), inputs, retain_graph=True) for r in (fused, scanned)
    ]
    torch.testing.assert_close(*gradients)


def weighted(outputs_TBH: Tensor, last: tuple[Tensor, ...]) -> Tensor:
    return outputs_TBH.square().sum() + sum((part.sin().sum() for part in last), torch.zeros(()))


def test_which_layers_are_fused_on_a_cpu() -> None:
    vectors, few, many, gates = (
        Dense(torch.randn(T, B, I), torch.randn(4 * H, I), torch.zeros(4 * H)),
        Lookup(torch.randn(4, 4 * H), torch.randint(4, (T, B))),
        Lookup(torch.randn(40, 4 * H), torch.randint(40, (T, B))),
        Lookup(torch.randn(T, B, 4 * H)),
    )
    fused = [lstm().is_fused(given) for given in (vectors, few, many, gates)]
    assert fused == [True, True, False, False]
    with torch.autocast("cpu", torch.bfloat16):
        assert not lstm().is_fused(vectors)
