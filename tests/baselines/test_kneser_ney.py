"""rnnlm/baselines/kneser_ney.py, against a textbook's implementation and by hand."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from rnnlm.baselines.discounts import Discounts
from rnnlm.baselines.kneser_ney import KneserNey, KneserNeyConfig, predict_orders
from rnnlm.baselines.ngrams import SplitTokens
from rnnlm.data.batching import Batching
from rnnlm.data.preparation import prepare
from rnnlm.data.texts.splitting import SPLITS
from rnnlm.data.time_machine import Normalize, TimeMachine, TimeMachineConfig
from rnnlm.data.tokens.vocabulary import BEGIN_ID, END_ID
from rnnlm.options import OptionError, check
from tests.support.small_corpora import from_file, sample
from tests.support.textbook_kneser_ney import Gram, TextbookKneserNey

ORDERS = range(2, 9)
VOCAB_SIZE = 6
NUM_DISCOUNTS = {Discounts.one: 1, Discounts.three: 3}

every_kind = pytest.mark.parametrize("discounts", Discounts)
# Any short text, or a longer one in which the counts say the discounts.
running_texts = st.one_of(
    st.lists(st.integers(0, VOCAB_SIZE - 1), min_size=1, max_size=30).map(tuple),
    st.builds(
        lambda seed, size: drawn(np.random.default_rng(seed), size),
        st.integers(0, 1000),
        st.integers(100, 400),
    ),
)
documents = st.lists(
    st.lists(st.sampled_from([0, 3, 4, 5]), max_size=8).map(lambda w: (BEGIN_ID, *w, END_ID)),
    min_size=1,
    max_size=30,
)


def drawn(random: np.random.Generator, size: int) -> Gram:
    """A text in which each token depends on the one before it."""
    transitions = random.dirichlet(np.full(VOCAB_SIZE, 0.4), VOCAB_SIZE)
    text = [0]
    while len(text) < size:
        text.append(int(random.choice(VOCAB_SIZE, p=transitions[text[-1]])))
    return tuple(text)


def as_split(texts: Sequence[Gram]) -> np.ndarray:
    return np.array(list(itertools.chain(*texts)), dtype=np.int64)


def predictable(begin_id: int | None) -> list[int]:
    return [token for token in range(VOCAB_SIZE) if token != begin_id]


def assert_agrees(training: Sequence[Gram], held_out: Sequence[Gram], begin_id: int | None) -> None:
    texts = SplitTokens.of([as_split(training), as_split(held_out)], VOCAB_SIZE, begin_id)
    for discounts in Discounts:
        for predicted in predict_orders(texts, ORDERS, discounts):
            book = TextbookKneserNey(
                training, predictable(begin_id), predicted.order, NUM_DISCOUNTS[discounts], begin_id
            )
            expected = [
                book.probability(token, text[:index]) if index else math.nan
                for text in (*training, *held_out)
                for index, token in enumerate(text)
            ]
            first = np.isnan(expected)
            np.testing.assert_allclose(
                predicted.probability_N[~first], np.array(expected)[~first], rtol=1e-9, atol=0
            )
            assert predicted.num_ngrams == sum(map(len, book.counts.values()))


@given(running_texts, running_texts)
@settings(deadline=None, max_examples=40)
def test_running_text_is_predicted_as_the_textbook_does(training: Gram, held_out: Gram) -> None:
    assert_agrees([training], [held_out], None)


@given(documents, documents)
@settings(deadline=None, max_examples=40)
def test_documents_are_predicted_as_the_textbook_does(
    training: list[Gram], held_out: list[Gram]
) -> None:
    assert_agrees(training, held_out, BEGIN_ID)


def assert_sums_to_one(training: Sequence[Gram], contexts: set[Gram], begin_id: int | None) -> None:
    tokens = predictable(begin_id)
    queries = [np.array([*context, token]) for context in sorted(contexts) for token in tokens]
    texts = SplitTokens.of([as_split(training), *queries], VOCAB_SIZE, begin_id)
    asked = np.array(texts.ends[1:]) - 1
    for discounts in Discounts:
        for predicted in predict_orders(texts, ORDERS, discounts):
            probabilities = predicted.probability_N[asked].reshape(-1, len(tokens))
            assert (probabilities > 0).all()
            np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)


def contexts_of(texts: Sequence[Gram], most: int) -> set[Gram]:
    """Return the contexts of tokens: whole beginnings, or the last eight tokens of longer ones."""
    every = {text[max(0, end - 8) : end] for text in texts for end in range(1, len(text))}
    return set(sorted(every, key=lambda context: (len(context), context))[:most])


@given(running_texts, st.lists(st.integers(0, VOCAB_SIZE - 1), min_size=1, max_size=9))
@settings(deadline=None, max_examples=40)
def test_after_any_context_of_running_text_probabilities_sum_to_one(
    training: Gram, other: list[int]
) -> None:
    assert_sums_to_one([training], contexts_of([training], 60) | {tuple(other)}, None)


@given(documents, st.lists(st.sampled_from([0, 3, 4, 5]), max_size=9))
@settings(deadline=None, max_examples=40)
def test_after_any_context_of_documents_probabilities_sum_to_one(
    training: list[Gram], other: list[int]
) -> None:
    contexts = contexts_of(training, 60) | {(BEGIN_ID, *other)}
    assert_sums_to_one(training, contexts, BEGIN_ID)


def test_by_hand() -> None:
    # aab: bigrams aa and ab once each. Left neighbours: a has the start and a, b has a.
    texts = SplitTokens.of([np.array([0, 0, 1]), np.array([1, 0])], 2, None)
    (predicted,) = predict_orders(texts, [2], Discounts.one)
    # For b alone: (1 - D) / 3 + 2 D / 3 · 1/2, D = 1 / (1 + 2·1).
    unigram_b = (1 - 1 / 3) / 3 + 2 / 9 / 2
    # Bigrams have no count of 2: D = 0.5 of the two that follow a.
    after_a = (1 - 0.5) / 2 + 0.5 * unigram_b
    assert predicted.probability_N[2] == pytest.approx(after_a)
    # Nothing follows b in training: the unigram of a.
    assert predicted.probability_N[4] == pytest.approx(1 - unigram_b)
    # a, b, aa and ab.
    assert predicted.num_ngrams == 4
    assert predicted.orders_without_estimate == [2]


@pytest.mark.parametrize("batching", [Batching.stream, Batching.documents])
@every_kind
def test_a_corpus_is_measured_as_the_textbook_does(
    text_file: Path, batching: Batching, discounts: Discounts
) -> None:
    text = text_file.read_text()
    text_file.write_text(text.replace(". ", ".\n")[:4000] + "Eve met Zoë by the sea.\n" * 20)
    corpus = from_file(text_file, batching)
    begin_id = corpus.splits["train"].begin_id
    texts = {name: texts_of(corpus.splits[name].ids_N.tolist(), begin_id) for name in SPLITS}
    tokens = [token for token in range(len(corpus.vocabulary)) if token != begin_id]
    book = TextbookKneserNey(texts["train"], tokens, 3, NUM_DISCOUNTS[discounts], begin_id)
    baseline = KneserNey(KneserNeyConfig(order=3, discounts=discounts))
    measured = baseline.measure(corpus)
    for name in SPLITS:
        split = corpus.splits[name]
        nats = -sum(
            math.log(book.probability(text[index], text[:index]))
            for text in texts[name]
            for index in range(1, len(text))
        )
        assert measured[name] == {
            "loss": pytest.approx(nats / split.num_tokens, rel=1e-9),
            "ppl": pytest.approx(math.exp(nats / split.num_tokens), rel=1e-9),
            "bpc": pytest.approx((nats + split.unknown_nats) / math.log(2) / split.num_chars),
            "num_tokens": split.num_tokens,
            "num_chars": split.num_chars,
        }
    assert baseline.num_parameters == sum(map(len, book.counts.values()))
    assert baseline.chosen == {}


def texts_of(ids: list[int], begin_id: int | None) -> list[Gram]:
    if begin_id is None:
        return [tuple(ids)]
    starts = [index for index, token in enumerate(ids) if token == begin_id]
    return [
        tuple(ids[start:end]) for start, end in zip(starts, [*starts[1:], len(ids)], strict=True)
    ]


@every_kind
def test_the_order_is_the_best_on_validation(discounts: Discounts) -> None:
    corpus = sample("time_machine")
    losses = {
        order: KneserNey(KneserNeyConfig(order=order, discounts=discounts)).measure(corpus)
        for order in ORDERS
    }
    best = min(ORDERS, key=lambda order: losses[order]["validation"]["loss"] or math.inf)
    assert 2 < best < 8
    chosen = KneserNey(KneserNeyConfig(discounts=discounts))
    assert chosen.measure(corpus) == losses[best]
    assert chosen.chosen == {"order": best}
    assert chosen.notes[0] == f"order {best}, the best on validation of 2 to 8"


def test_discounts_that_are_not_estimated_are_told_of() -> None:
    corpus = sample("addition")
    baseline = KneserNey(KneserNeyConfig(order=2))
    baseline.measure(corpus)
    assert baseline.notes == ["too few rare n-grams to estimate all discounts of order 1, 2"]


def test_what_the_held_out_texts_are_changes_nothing_for_train() -> None:
    training = drawn(np.random.default_rng(0), 300)
    alone, with_others = (
        [
            p.probability_N[:300]
            for p in predict_orders(SplitTokens.of(splits, 9, None), ORDERS, discounts)
        ]
        for discounts in [Discounts.three]
        for splits in ([np.array(training)], [np.array(training), np.arange(9), np.zeros(50, int)])
    )
    np.testing.assert_array_equal(alone, with_others)


@pytest.mark.parametrize(
    ("discounts", "validation_fraction", "expected"),
    [
        # The result of another implementation.
        (Discounts.one, 0.0001, 4.49),
        # Ours, so that a change is noticed.
        (Discounts.three, 0.0001, 4.36),
        (Discounts.one, 0.1, 4.58),
        (Discounts.three, 0.1, 4.44),
    ],
)
def test_the_time_machine(
    real_data: Path, discounts: Discounts, validation_fraction: float, expected: float
) -> None:
    """Its characters as they are; the last tenth is test, the rest but validation is train."""
    config = TimeMachineConfig(
        name="time_machine",
        source="full",
        normalize=Normalize.none,
        validation_fraction=validation_fraction,
        test_fraction=0.1,
    )
    corpus = prepare(TimeMachine(config))
    measured = KneserNey(KneserNeyConfig(order=6, discounts=discounts)).measure(corpus)
    assert measured["test"]["ppl"] == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("order", [1, 9])
def test_an_order_out_of_range_is_refused(order: int) -> None:
    with pytest.raises(OptionError, match=f"order: {order} is out of range, it takes at least 2"):
        check(KneserNeyConfig(order=order))


def test_options_are_those_of_the_command_line() -> None:
    schema = OmegaConf.structured(KneserNeyConfig)
    given = OmegaConf.from_dotlist(["order=5", "discounts=one"])
    config = OmegaConf.to_object(OmegaConf.merge(schema, given))
    assert config == KneserNeyConfig(order=5, discounts=Discounts.one)
