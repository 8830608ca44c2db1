"""rnnlm/model/fused.py: PyTorch's kernels against the scan, for everything a layer can be given."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from rnnlm.model.cells import Cell, cells
from rnnlm.model.fused import few_rows, fused_layer
from rnnlm.model.layer_input import Dense, LayerInput, Lookup
from tests.support.networks import B, H, T, cell_of

I = 5  # noqa: E741
CASES = [*((name, "tanh") for name in cells()), ("rnn", "relu")]


def parameter(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(*shape, dtype=torch.float64))


def layer_input(kind: str, cell: Cell) -> tuple[LayerInput, list[nn.Parameter]]:
    gates = cell.num_gates * H
    if kind == "vectors":
        x, weight = parameter(T, B, I), parameter(gates, I)
        return Dense(x, weight, cell.input_bias()), [x, weight]
    if kind == "gates":
        given = parameter(T, B, gates)
        return Lookup(given + cell.input_bias()), [given]
    rows = parameter(4 if kind == "few rows" else 40, gates)
    index = torch.randint(len(rows), (T, B))
    return Lookup(rows + cell.input_bias(), index), [rows]


@pytest.mark.parametrize(("name", "nonlinearity"), CASES)
@pytest.mark.parametrize("kind", ["vectors", "gates", "few rows", "many rows"])
def test_value_and_gradient_are_those_of_the_scan(name: str, nonlinearity: str, kind: str) -> None:
    cell = cell_of(name, nonlinearity).double()
    given, parameters = layer_input(kind, cell)
    assert few_rows(given, H) == (kind == "few rows")
    state = tuple(parameter(B, H) for _ in range(cell.num_states))
    inputs = [*parameters, *cell.parameters(), *state]
    assert cell.recurrence is not None
    fused = fused_layer(cell.recurrence, given, cell.weight_hh, cell.recurrent_bias(), state)
    scanned = cell.scan(given.gates(), cell.weight_hh, state, torch.float64)
    for (ours, last), (expected, expected_last) in [(fused, scanned)]:
        torch.testing.assert_close(ours, expected)
        torch.testing.assert_close(last, expected_last)
    gradients = [
        torch.autograd.grad(weighted(*r), inputs, retain_graph=True) for r in (fused, scanned)
    ]
    for ours, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, expected)


def weighted(outputs_TBH: Tensor, last: tuple[Tensor, ...]) -> Tensor:
    return outputs_TBH.square().sum() + sum((part.sin().sum() for part in last), torch.zeros(()))


@pytest.mark.parametrize("name", cells())
def test_under_autocast_what_is_handed_on_is_float32(name: str) -> None:
    cell = cell_of(name)
    vectors = Dense(torch.randn(T, B, I), torch.randn(cell.num_gates * H, I), cell.input_bias())
    state = cell.zero_state(B)
    with torch.autocast("cpu", torch.bfloat16):
        assert cell.recurrence is not None
        outputs, last = fused_layer(
            cell.recurrence, vectors, cell.weight_hh, cell.recurrent_bias(), state
        )
    expected, _ = cell.scan(vectors.gates(), cell.weight_hh, state, torch.float32)
    assert {part.dtype for part in (outputs, *last)} == {torch.float32}
    torch.testing.assert_close(outputs, expected, atol=0.05, rtol=0.05)


def test_which_layers_are_fused_on_a_cpu() -> None:
    vectors, few, many = (
        Dense(torch.randn(T, B, I), torch.randn(4 * H, I), torch.zeros(4 * H)),
        Lookup(torch.randn(4, 4 * H), torch.randint(4, (T, B))),
        Lookup(torch.randn(40, 4 * H), torch.randint(40, (T, B))),
    )
    lstm = cell_of("lstm")
    assert [lstm.is_fused(given) for given in (vectors, few, many)] == [True, True, False]
    with torch.autocast("cpu", torch.bfloat16):
        assert not lstm.is_fused(vectors)
    assert not any(cell_of(name).is_fused(vectors) for name in ("rnn", "gru"))
