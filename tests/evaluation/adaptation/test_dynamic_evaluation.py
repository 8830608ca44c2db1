"""rnnlm/evaluation/adaptation/dynamic_evaluation.py"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rnnlm.data.batching import Streams
from rnnlm.evaluation.adaptation.dynamic_evaluation import (
    DECAYS,
    EPSILON,
    RATES,
    DynamicEvaluation,
    DynamicSettings,
    best_settings,
    climb,
    gradient_roots,
)
from rnnlm.evaluation.adaptation.prediction import predict
from rnnlm.model.cells import cells
from rnnlm.model.language_model import LanguageModel
from tests.support import networks

V = 7


def network(cell: str = "lstm") -> LanguageModel:
    return networks.network(cell, "embed", 1, vocab_size=V).eval()


def text(num_tokens: int, seed: int = 0) -> Tensor:
    return torch.randint(V, (num_tokens,), generator=torch.Generator().manual_seed(seed))


def weights(of: LanguageModel) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in of.parameters()]


def test_roots_are_of_the_mean_square_of_each_weights_gradient() -> None:
    model = network()
    batches = list(Streams(text(41), 2, 5))
    squares = [torch.zeros_like(parameter) for parameter in model.parameters()]
    state = None
    for batch in batches:
        nats, new_state = model.nats(batch.inputs_TB, batch.targets_TB, state)
        gradients = torch.autograd.grad(nats / batch.num_tokens, list(model.parameters()))
        state = tuple(tuple(t.detach() for t in layer) for layer in new_state)
        squares = [s + g**2 / len(batches) for s, g in zip(squares, gradients, strict=True)]
    for root, square in zip(gradient_roots(model, batches), squares, strict=True):
        torch.testing.assert_close(root, square.sqrt())


def test_a_step_is_the_papers() -> None:
    model = network()
    roots = gradient_roots(model, Streams(text(200), 1, 10))
    dynamic = DynamicEvaluation(model, roots, DynamicSettings(lr=0.01, decay=0.1))
    mean = torch.cat([root.flatten() for root in roots]).mean()
    trained = weights(model)
    expected = weights(model)
    for seed in (1, 2):
        (batch,) = Streams(text(11, seed), 1, 10)
        nats, _ = model.nats(batch.inputs_TB, batch.targets_TB)
        nats.backward()
        for index, (parameter, root) in enumerate(zip(model.parameters(), roots, strict=True)):
            assert parameter.grad is not None
            moved = expected[index] - 0.01 * parameter.grad / (root + EPSILON * mean)
            pull = (0.1 * root / mean).clamp(max=1)
            expected[index] = moved + pull * (trained[index] - moved)
        dynamic.learn()
        assert all(parameter.grad is None for parameter in model.parameters())
        for ours, theirs in zip(weights(model), expected, strict=True):
            torch.testing.assert_close(ours, theirs)
    dynamic.put_back()
    assert all(torch.equal(a, b) for a, b in zip(weights(model), trained, strict=True))


@pytest.mark.parametrize("cell", cells())
def test_it_learns_a_text_while_it_reads_and_predicts_before_it_learns(cell: str) -> None:
    model = network(cell)
    # Over and over the same: by the end it is known.
    ids_N = text(6).repeat(100)
    roots = gradient_roots(model, Streams(ids_N, 1, 10))
    before = weights(model)
    still = predict(model, Streams(ids_N, 1, 64), 10).network_N
    dynamic = DynamicEvaluation(model, roots, DynamicSettings(lr=0.01, decay=0.0))
    moving = predict(model, Streams(ids_N, 1, 64), 10, dynamic=dynamic).network_N
    assert torch.equal(moving[:10], still[:10])
    assert moving[-100:].log().mean() > still[-100:].log().mean() + 0.5
    assert all(torch.equal(a, b) for a, b in zip(weights(model), before, strict=True))


def test_without_a_step_nothing_changes() -> None:
    model = network()
    roots = gradient_roots(model, Streams(text(200), 1, 10))
    dynamic = DynamicEvaluation(model, roots, DynamicSettings(lr=0.0, decay=0.0))
    batches = Streams(text(100, 1), 1, 64)
    moving = predict(model, batches, 20, dynamic=dynamic).network_N
    torch.testing.assert_close(moving, predict(model, batches, 20).network_N)


@pytest.mark.parametrize("lowest", range(7))
@pytest.mark.parametrize("start", [0, 3, 6])
def test_it_walks_to_the_lowest_and_looks_at_nothing_twice(lowest: int, start: int) -> None:
    looked_at: list[float] = []

    def loss_of(value: float) -> float:
        looked_at.append(value)
        return abs(value - lowest)

    assert climb(range(7), start, loss_of) == lowest
    assert len(set(looked_at)) == len(looked_at)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("decay", DECAYS)
def test_both_settings_are_found(rate: float, decay: float) -> None:
    def loss_of(settings: DynamicSettings) -> float:
        return abs(RATES.index(settings.lr) - RATES.index(rate)) + abs(
            DECAYS.index(settings.decay) - DECAYS.index(decay)
        )

    assert best_settings(loss_of) == DynamicSettings(rate, decay)


def test_what_is_no_number_is_not_the_lowest() -> None:
    assert climb([1.0, 2.0, 3.0], 1, lambda v: float("nan") if v > 2 else v) == 1.0
