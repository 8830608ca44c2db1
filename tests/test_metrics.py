"""rnnlm/metrics.py"""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.baselines.unigram import unigram_nats
from rnnlm.metrics import Metrics, Total, perplexity


def test_metrics_are_quotients_of_totals() -> None:
    metrics = Metrics.of(total_nats=200.0, num_tokens=100, num_chars=160)
    assert metrics.loss == 2.0
    assert metrics.ppl == math.exp(2.0)
    assert metrics.bpc == pytest.approx(200 / math.log(2) / 160)


def test_spelling_unknown_tokens_costs_bits_but_no_perplexity() -> None:
    metrics = Metrics.of(total_nats=200.0, num_tokens=100, num_chars=160, unknown_nats=40.0)
    assert metrics.ppl == math.exp(2.0)
    assert metrics.bpc == pytest.approx(240 / math.log(2) / 160)


def test_perplexity_is_of_nats_and_not_of_bits() -> None:
    assert perplexity(math.log(50)) == pytest.approx(50)
    assert perplexity(1e6) == math.inf


@given(st.lists(st.tuples(st.floats(0, 1e4), st.integers(1, 100)), min_size=1, max_size=30))
def test_a_total_is_weighted_by_tokens_whatever_the_batches(
    batches: list[tuple[float, int]],
) -> None:
    total = Total()
    for nats, num_tokens in batches:
        total.add(torch.tensor(nats, dtype=torch.float64), num_tokens)
    assert total.loss == pytest.approx(sum(n for n, _ in batches) / sum(c for _, c in batches))


def test_a_total_keeps_digits_that_float32_would_lose() -> None:
    total = Total()
    for _ in range(1000):
        total.add(torch.tensor(16_777_216.0), 1)
        total.add(torch.tensor(1.0), 1)
    assert total.nats == 1000 * 16_777_217.0


def test_a_total_that_goes_on_gives_the_same_bits() -> None:
    nats = torch.rand(20, generator=torch.Generator().manual_seed(0)) * 1000
    expected = 0.0
    whole = Total()
    for some in nats:
        whole.add(some, 3)
        expected += some.item()
    assert (whole.nats, whole.num_tokens) == (expected, 60)
    first = Total()
    for some in nats[:7]:
        first.add(some, 3)
    rest = Total(first.nats, first.num_tokens)
    for some in nats[7:]:
        rest.add(some, 3)
    assert (rest.nats, rest.num_tokens) == (expected, 60)


def test_a_total_keeps_its_place_in_memory() -> None:
    total = Total()
    nats = torch.tensor(2.0, dtype=torch.float64)
    total.add(nats, 1)
    place = total._nats  # noqa: SLF001
    total.reset()
    assert (total.nats, total.num_tokens) == (0.0, 0)
    total.add(torch.tensor(3.0, requires_grad=True), 2)
    assert total._nats is place  # noqa: SLF001
    assert (total.nats, total.num_tokens, total.loss) == (3.0, 2, 1.5)
    assert nats == 2


def test_unigram_model_by_hand() -> None:
    # Counts 3 and 1 plus one each, of 4 + 2.
    nats = unigram_nats(torch.tensor([0, 0, 0, 1]), torch.tensor([0, 1]), vocab_size=2)
    assert nats == pytest.approx(-math.log(4 / 6) - math.log(2 / 6))
