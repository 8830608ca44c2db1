"""rnnlm/model/: every cell with every kind of features, against torch.nn and against itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from rnnlm.model.cells import RNNConfig, RNNNonlinearity, cells
from rnnlm.model.features import EmbedConfig, features
from rnnlm.model.language_model import LanguageModel, num_parameters

V, E, H, T, B = 11, 5, 8, 7, 3

VARIANTS = [
    (cell, kind, layers, nonlinearity)
    for cell in cells()
    for kind in features()
    for layers in (1, 2)
    for nonlinearity in (("tanh", "relu") if cell == "rnn" else ("tanh",))
]
every_variant = pytest.mark.parametrize(("cell", "kind", "layers", "nonlinearity"), VARIANTS)


def network(
    cell: str, kind: str, layers: int, nonlinearity: str, **options: float
) -> LanguageModel:
    torch.manual_seed(0)
    config = cells()[cell].Config(cell=cell, hidden_size=H, num_layers=layers)
    for name, value in options.items():
        setattr(config, name, value)
    if isinstance(config, RNNConfig):
        config.nonlinearity = RNNNonlinearity(nonlinearity)
    kind_config = features()[kind].Config(name=kind)
    if isinstance(kind_config, EmbedConfig):
        kind_config.embedding_size = E
    return LanguageModel(V, config, kind_config)


def dense(model: LanguageModel, cell: str, layers: int, nonlinearity: str) -> nn.Module:
    """The same weights in torch.nn, whose input is a dense vector."""
    options = {"nonlinearity": nonlinearity} if cell == "rnn" else {}
    embedding = getattr(model.features, "embedding", None)
    width = V if embedding is None else E
    rnn: nn.Module = getattr(nn, cell.upper())(width, H, layers, **options)
    rnn.to(model.output.weight.dtype)
    for layer in range(layers):
        of_features = model.features if layer == 0 else model.between[layer - 1]
        weight_ih = of_features.weight_ih if layer == 0 else of_features.weight
        bias_ih = of_features.bias_ih if layer == 0 else of_features.bias
        assert isinstance(weight_ih, Tensor)
        if layer == 0 and embedding is None:
            weight_ih = weight_ih.t()
        for name, value in (
            ("weight_ih", weight_ih),
            ("bias_ih", bias_ih),
            ("weight_hh", model.cells[layer].weight_hh),
            ("bias_hh", model.cells[layer].bias_hh),
        ):
            assert isinstance(value, Tensor)
            getattr(rnn, f"{name}_l{layer}").data.copy_(value.data)
    return rnn


def gradients(rnn: nn.Module, model: LanguageModel, layers: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Pairs of the gradients of the same weight in torch.nn and in the language model."""
    for layer in range(layers):
        of_features = model.features if layer == 0 else model.between[layer - 1]
        prefix = "_ih" if layer == 0 else ""
        weight = getattr(of_features, f"weight{prefix}").grad
        if layer == 0 and not hasattr(model.features, "embedding"):
            weight = weight.t()
        yield getattr(rnn, f"weight_ih_l{layer}").grad, weight
        yield getattr(rnn, f"bias_ih_l{layer}").grad, getattr(of_features, f"bias{prefix}").grad
        for name in ("weight_hh", "bias_hh"):
            ours = getattr(model.cells[layer], name).grad
            yield getattr(rnn, f"{name}_l{layer}").grad, ours


@every_variant
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_value_and_gradient_are_those_of_torch_nn_on_dense_input(
    cell: str, kind: str, layers: int, nonlinearity: str, dtype: torch.dtype
) -> None:
    model = network(cell, kind, layers, nonlinearity).to(dtype)
    rnn = dense(model, cell, layers, nonlinearity)
    tokens_TB = torch.randint(V, (T, B))
    state = tuple(
        tuple(torch.randn(B, H, dtype=dtype) for _ in range(cells()[cell].num_states))
        for _ in range(layers)
    )
    embedding = getattr(model.features, "embedding", None)
    if embedding is None:
        input_TBV = nn.functional.one_hot(tokens_TB, V).to(dtype)
        table = None
    else:
        table = embedding.weight.detach().clone().requires_grad_()
        input_TBV = nn.functional.embedding(tokens_TB, table)
    initial = tuple(torch.stack(part) for part in zip(*state, strict=True))
    hidden_TBH, last = rnn(input_TBV, initial if len(initial) > 1 else initial[0])
    expected_TBV = model.output(hidden_TBH)
    logits_TBV, new_state = model(tokens_TB, state)

    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    close = partial(torch.testing.assert_close, atol=tolerance, rtol=tolerance)
    close(logits_TBV, expected_TBV)
    last = last if isinstance(last, tuple) else (last,)
    for part, expected_LBH in enumerate(last):
        ours_LBH = torch.stack([layer_state[part] for layer_state in new_state])
        close(ours_LBH, expected_LBH)

    weights = torch.randn_like(logits_TBV)
    (expected_TBV * weights).sum().backward()
    model.zero_grad()
    (logits_TBV * weights).sum().backward()
    for expected, ours in gradients(rnn, model, layers):
        close(ours, expected)
    if embedding is not None:
        assert table is not None
        close(embedding.weight.grad, table.grad)


@every_variant
def test_forward_and_step_agree(cell: str, kind: str, layers: int, nonlinearity: str) -> None:
    model = network(cell, kind, layers, nonlinearity).double().eval()
    tokens_TB = torch.randint(V, (T, B))
    logits_TBV, last = model(tokens_TB)
    state = model.initial_state(B)
    for t in range(T):
        logits_BV, state = model.step(tokens_TB[t], state)
        torch.testing.assert_close(logits_BV, logits_TBV[t], atol=1e-12, rtol=1e-12)
    torch.testing.assert_close(state, last, atol=1e-12, rtol=1e-12)


@every_variant
def test_a_sequence_in_two_pieces_is_the_same_as_in_one(
    cell: str, kind: str, layers: int, nonlinearity: str
) -> None:
    model = network(cell, kind, layers, nonlinearity).double().eval()
    tokens_TB = torch.randint(V, (T, B))
    whole_TBV, _ = model(tokens_TB)
    first_TBV, state = model(tokens_TB[:3])
    second_TBV, _ = model(tokens_TB[3:], state)
    torch.testing.assert_close(torch.cat([first_TBV, second_TBV]), whole_TBV)


@pytest.mark.parametrize("cell", cells())
def test_the_network_is_as_large_as_torch_nns(cell: str) -> None:
    rnn = getattr(nn, cell.upper())(V, H, 2)
    expected = sum(p.numel() for p in rnn.parameters()) + H * V + V
    assert num_parameters(network(cell, "onehot", 2, "tanh")) == expected


@pytest.mark.parametrize("cell", cells())
@pytest.mark.parametrize("kind", features())
def test_initial_weights_are_within_torch_nns_bounds(cell: str, kind: str) -> None:
    model = network(cell, kind, 2, "tanh")
    for name, parameter in model.named_parameters():
        if "embedding" not in name:
            assert parameter.abs().max() <= 1 / H**0.5
            assert parameter.abs().max() > 0


def test_dropout_is_for_training_alone() -> None:
    model = network("lstm", "embed", 2, "tanh", dropout=0.5)
    tokens_TB = torch.randint(V, (T, B))
    assert not torch.equal(model(tokens_TB)[0], model(tokens_TB)[0])
    model.eval()
    assert torch.equal(model(tokens_TB)[0], model(tokens_TB)[0])


@pytest.mark.parametrize("cell", cells())
def test_under_autocast_states_stay_in_float32(cell: str) -> None:
    model = network(cell, "embed", 1, "tanh")
    with torch.autocast("cpu", torch.bfloat16):
        logits_TBV, state = model(torch.randint(V, (T, B)))
    assert logits_TBV.dtype == torch.bfloat16
    assert {part.dtype for layer in state for part in layer} == {torch.float32}
    logits_TBV.float().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
