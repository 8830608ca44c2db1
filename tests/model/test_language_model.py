"""rnnlm/model/: every cell with every kind of features, against torch.nn and against itself."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from rnnlm.model import cross_entropy
from rnnlm.model.cells import cells
from rnnlm.model.features import Embed, EmbedConfig, features
from rnnlm.model.language_model import LanguageModel, num_parameters
from rnnlm.model.stepper import Stepper
from tests.support.networks import B, E, H, T, V, every_variant, network

# Vocabularies and batches for which the table of gates has a row for each token of the vocabulary
# (of few and of many tokens), for each of the batch's distinct tokens, and for each of its tokens.
every_table = pytest.mark.parametrize(
    ("vocab_size", "steps", "batch"), [(4, 7, 5), (11, 7, 9), (101, 20, 20), (11, 7, 3)]
)


class Dense(nn.Module):
    """The same weights in torch.nn, whose input is a dense vector, and a loss of whole logits."""

    def __init__(self, model: LanguageModel, cell: str, layers: int, nonlinearity: str) -> None:
        super().__init__()
        self.vocab_size = model.output.out_features
        self.embedding: nn.Embedding | None = getattr(model.features, "embedding", None)
        width = self.vocab_size if self.embedding is None else self.embedding.embedding_dim
        options = {"nonlinearity": nonlinearity} if cell == "rnn" else {}
        self.rnn: nn.Module = getattr(nn, cell.upper())(width, H, layers, **options)
        self.embedding = copy.deepcopy(self.embedding)
        self.output = copy.deepcopy(model.output)
        self.to(model.output.weight.dtype)
        for theirs, ours in pairs(self, model):
            theirs.data.copy_(ours)

    def forward(self, tokens_TB: Tensor, state: Any) -> tuple[Tensor, Any]:
        if self.embedding is None:
            dense_TBI = nn.functional.one_hot(tokens_TB, self.vocab_size).to(state[0].dtype)
        else:
            dense_TBI = self.embedding(tokens_TB)
        hidden_TBH, state = self.rnn(
            dense_TBI, state if isinstance(self.rnn, nn.LSTM) else state[0]
        )
        return self.output(hidden_TBH), state


def pairs(dense: Dense, model: LanguageModel) -> list[tuple[Tensor, Tensor]]:
    """Each weight in torch.nn and in the language model, both as in torch.nn."""
    found: list[tuple[Any, Any]] = [(dense.output.bias, model.output.bias)]
    found.append((dense.output.weight, model.output.weight))
    weight_ih: Any = model.features.weight_ih
    if dense.embedding is None:
        weight_ih = transposed(weight_ih)
    else:
        found.append((dense.embedding.weight, model.features.embedding.weight))  # type: ignore[union-attr]
    for layer, cell in enumerate(model.cells):
        for name, ours in (
            ("weight_ih", weight_ih if layer == 0 else model.between[layer - 1]),
            ("weight_hh", cell.weight_hh),
            ("bias_ih", cell.bias_ih),
            ("bias_hh", cell.bias_hh),
        ):
            found.append((getattr(dense.rnn, f"{name}_l{layer}"), ours))
    return found


def transposed(weight: Tensor) -> Tensor:
    result = weight.detach().t()
    if weight.grad is not None:
        result.grad = weight.grad.t()
    return result


@every_variant
@every_table
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_value_and_gradient_are_those_of_torch_nn_on_dense_input(  # noqa: PLR0913, all cases
    cell: str,
    kind: str,
    layers: int,
    nonlinearity: str,
    vocab_size: int,
    steps: int,
    batch: int,
    dtype: torch.dtype,
) -> None:
    model = network(cell, kind, layers, nonlinearity, vocab_size).to(dtype)
    dense = Dense(model, cell, layers, nonlinearity)
    tokens_TB = torch.randint(vocab_size, (steps + 1, batch))
    inputs_TB, targets_TB = tokens_TB[:-1], tokens_TB[1:]
    state = tuple(
        tuple(torch.randn(batch, H, dtype=dtype) for _ in range(cells()[cell].num_states))
        for _ in range(layers)
    )
    expected_TBV, last = dense(
        inputs_TB, tuple(torch.stack(part) for part in zip(*state, strict=True))
    )
    expected = nn.functional.cross_entropy(
        expected_TBV.flatten(0, 1), targets_TB.flatten(), reduction="sum"
    )
    logits_TBV, _ = model(inputs_TB, state)
    nats, new_state = model.nats(inputs_TB, targets_TB, state)

    tolerance = 2e-5 if dtype == torch.float32 else 1e-12
    close = partial(torch.testing.assert_close, atol=tolerance, rtol=tolerance)
    close(logits_TBV, expected_TBV)
    close(nats, expected)
    last = last if isinstance(last, tuple) else (last,)
    for part, expected_LBH in enumerate(last):
        close(torch.stack([layer_state[part] for layer_state in new_state]), expected_LBH)

    expected.backward()
    nats.backward()
    for theirs, ours in pairs(dense, model):
        assert theirs.grad is not None
        assert ours.grad is not None
        scale = theirs.grad.abs().max()
        close(ours.grad / scale, theirs.grad / scale)


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
    model = network(cell, kind, 2)
    for name, parameter in model.named_parameters():
        if "embedding" not in name:
            assert parameter.abs().max() <= 1 / H**0.5
            assert parameter.abs().max() > 0


DROPOUTS = ["dropout", "variational_dropout", "weight_dropout"]


@pytest.mark.parametrize("cell", cells())
@pytest.mark.parametrize("name", DROPOUTS)
def test_dropout_reaches_the_computation_in_training_alone(cell: str, name: str) -> None:
    options: dict[str, Any] = {name: 0.5}
    model = network(cell, "embed", 2, **options)
    tokens_TB = torch.randint(V, (T, B))
    assert not torch.equal(model(tokens_TB)[0], model(tokens_TB)[0])
    model.eval()
    expected_TBV = network(cell, "embed", 2).eval()(tokens_TB)[0]
    assert torch.equal(model(tokens_TB)[0], expected_TBV)


@pytest.mark.parametrize("cell", cells())
@pytest.mark.parametrize("kind", features())
def test_dropped_weights_are_zero_in_value_and_gradient(cell: str, kind: str) -> None:
    model = network(cell, kind, 1, weight_dropout=0.5).double()
    tokens_TB = torch.randint(V, (T, B))
    torch.manual_seed(1)
    logits_TBV, _ = model(tokens_TB)
    logits_TBV.square().sum().backward()
    weight_hh = model.cells[0].weight_hh
    assert isinstance(weight_hh, Tensor)
    torch.manual_seed(1)
    mask = nn.functional.dropout(torch.ones_like(weight_hh), 0.5)
    gradient = weight_hh.grad
    assert gradient is not None
    assert ((gradient == 0) == (mask == 0)).all()

    plain = network(cell, kind, 1).double()
    with torch.no_grad():
        dropped = plain.cells[0].weight_hh
        assert isinstance(dropped, nn.Parameter)
        dropped.mul_(mask)
    expected_TBV, _ = plain(tokens_TB)
    torch.testing.assert_close(logits_TBV, expected_TBV)
    expected_TBV.square().sum().backward()
    assert dropped.grad is not None
    torch.testing.assert_close(gradient, dropped.grad * mask)


def test_variational_dropout_drops_the_same_units_at_every_step() -> None:
    model = network("gru", "embed", 1, variational_dropout=0.5)
    hidden_TBH, _ = model.hidden(torch.randint(V, (T, B)))
    dropped_TBH = model.apply_dropout(hidden_TBH) == 0
    assert dropped_TBH.any()
    assert not dropped_TBH.all()
    assert torch.equal(dropped_TBH, dropped_TBH[:1].expand(T, B, H))


@pytest.mark.parametrize("cell", cells())
def test_tied_weights_are_one_matrix_with_the_gradients_of_both_uses(cell: str) -> None:
    tied = network(cell, "embed", 1, embedding_size=H, tie_weights=True).double()
    assert num_parameters(tied) == num_parameters(network(cell, "embed", 1)) - V * E + (
        cells()[cell].num_gates * H * (H - E)
    )
    separate = copy.deepcopy(tied)
    separate.output.weight = nn.Parameter(separate.output.weight.detach().clone())
    inputs_TB, targets_TB = torch.randint(V, (2, T, B))
    for model in (tied, separate):
        model.nats(inputs_TB, targets_TB)[0].backward()
    embedding_grad = separate.features.embedding.weight.grad  # type: ignore[union-attr]
    assert isinstance(embedding_grad, Tensor)
    assert tied.output.weight.grad is not None
    assert separate.output.weight.grad is not None
    both = embedding_grad + separate.output.weight.grad
    torch.testing.assert_close(tied.output.weight.grad, both)


@pytest.mark.parametrize("cell", cells())
def test_a_tied_embedding_of_another_width_is_projected_to(cell: str) -> None:
    config = cells()[cell].Config(name=cell, hidden_size=H, num_layers=2, tie_weights=True)
    model = LanguageModel(V, config, EmbedConfig("embed", embedding_size=E)).double()
    assert model.projection is not None
    assert isinstance(model.features, Embed)
    assert model.output.weight is model.features.embedding.weight
    assert num_parameters(model) == sum(p.numel() for p in set(model.parameters()))
    tokens_TB = torch.randint(V, (T, B))
    logits_TBV, last = model(tokens_TB)
    hidden_TBH, _ = model.hidden(tokens_TB)
    expected_TBV = hidden_TBH @ model.projection.weight.t() @ model.output.weight.t()
    torch.testing.assert_close(logits_TBV, expected_TBV + model.output.bias)
    nats, _ = model.nats(tokens_TB[:-1], tokens_TB[1:])
    log_p_TBV = model(tokens_TB[:-1])[0].log_softmax(-1)
    torch.testing.assert_close(nats, -log_p_TBV.gather(2, tokens_TB[1:, :, None]).sum())
    stepper, state = Stepper(model), model.initial_state(B)
    for t in range(T):
        state = stepper.read(tokens_TB[t], state)
        torch.testing.assert_close(stepper.logits(state), logits_TBV[t])
    torch.testing.assert_close(state, last)


@every_table
@pytest.mark.parametrize("kind", features())
def test_embedding_dropout_leaves_whole_tokens_out(
    kind: str, vocab_size: int, steps: int, batch: int
) -> None:
    model = network("gru", kind, 1, vocab_size=vocab_size)
    model.features.embedding_dropout = 0.5
    tokens_TB = torch.randint(vocab_size, (steps, batch))
    gates_TBG = model.features(tokens_TB, torch.zeros(3 * H)).gates()
    rows_VG = model.features.rows(None)
    kinds = set()
    for token in tokens_TB.unique():
        found = gates_TBG[tokens_TB == token]
        kept = bool(found.any())
        kinds.add(kept)
        torch.testing.assert_close(found, (2 * kept * rows_VG[token]).expand_as(found))
    assert kinds == {True, False} or vocab_size == 4
    model.eval()
    torch.testing.assert_close(
        model.features(tokens_TB, torch.zeros(3 * H)).gates(), rows_VG[tokens_TB]
    )


@pytest.mark.parametrize("kind", features())
def test_token_dropout_makes_inputs_unknown_in_training_alone(kind: str) -> None:
    model = network("rnn", kind, 1, vocab_size=301)
    model.features.token_dropout = 0.25
    tokens_TB = torch.randint(1, 301, (40, 30))
    rows_VG = model.features.rows(None)
    gates_TBG = model.features(tokens_TB, torch.zeros(H)).gates()
    unknown_TB = (gates_TBG == rows_VG[0]).all(-1)
    torch.testing.assert_close(gates_TBG[~unknown_TB], rows_VG[tokens_TB[~unknown_TB]])
    assert 0.18 < unknown_TB.double().mean() < 0.32
    model.eval()
    gates_TBG = model.features(tokens_TB, torch.zeros(H)).gates()
    torch.testing.assert_close(gates_TBG, rows_VG[tokens_TB])


def test_activation_regularisation_by_hand() -> None:
    options: dict[str, Any] = {
        "activation_regularization": 2.0,
        "temporal_activation_regularization": 3.0,
    }
    model = network("lstm", "embed", 2, dropout=0.5, **options)
    hidden_TBH, _ = model.hidden(torch.randint(V, (T, B)))
    dropped_TBH = model.apply_dropout(hidden_TBH)
    changes = [(hidden_TBH[t + 1] - hidden_TBH[t]).square() for t in range(T - 1)]
    expected = 2 * (dropped_TBH**2).mean() + 3 * torch.stack(changes).mean()
    torch.testing.assert_close(model.activation_penalty(hidden_TBH, dropped_TBH), expected)
    assert network("lstm", "embed", 2).activation_penalty(hidden_TBH, dropped_TBH) == 0.0


@pytest.mark.parametrize("cell", cells())
@pytest.mark.parametrize("kind", features())
def test_no_tensor_of_tokens_by_vocabulary_is_made(cell: str, kind: str) -> None:
    vocab_size = 2581

    class Shapes(TorchDispatchMode):
        def __torch_dispatch__(
            self, operator: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            result = operator(*args, **(kwargs or {}))
            for tensor in result if isinstance(result, (tuple, list)) else [result]:
                if isinstance(tensor, Tensor):
                    seen.add(tuple(tensor.shape))
            return result

    seen: set[tuple[int, ...]] = set()
    model = network(cell, kind, 2, vocab_size=vocab_size)
    with Shapes():  # type: ignore[no-untyped-call]
        hidden_TBH, _ = model.hidden(torch.randint(vocab_size, (20, 16)))
        hidden_TBH.sum().backward()
    assert (20, 16, H) in seen
    assert not [shape for shape in seen if vocab_size in shape and {320, 20, 16} & set(shape)]


@pytest.mark.parametrize("cell", cells())
@pytest.mark.parametrize(
    ("kind", "tied"), [*((kind, False) for kind in features()), ("embed", True)]
)
@pytest.mark.parametrize("few_logits", [cross_entropy.FEW_LOGITS, 0])
def test_under_autocast_states_and_loss_stay_in_float32(
    cell: str, kind: str, tied: bool, few_logits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cross_entropy, "FEW_LOGITS", few_logits)
    model = network(cell, kind, 2, tie_weights=tied)
    assert (model.projection is not None) == tied
    inputs_TB, targets_TB = torch.randint(V, (2, T, B))
    expected, _ = model.nats(inputs_TB, targets_TB)
    with torch.autocast("cpu", torch.bfloat16):
        nats, state = model.nats(inputs_TB, targets_TB)
    assert nats.dtype == torch.float32
    assert {part.dtype for layer in state for part in layer} == {torch.float32}
    torch.testing.assert_close(nats, expected, rtol=1e-2, atol=0)
    assert nats != expected
    nats.backward()
    for parameter in model.parameters():
        assert parameter.grad is not None
        assert parameter.grad.dtype == torch.float32
        assert parameter.grad.isfinite().all()
