"""rnnlm/data/vocabulary.py"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.data.vocabulary import BEGIN, BEGIN_ID, END, END_ID, UNKNOWN, Vocabulary
from rnnlm.options import OptionError


@given(st.text(min_size=2), st.integers(1, 4))
def test_every_frequent_token_is_kept_and_unknown_has_been_seen(text: str, min_count: int) -> None:
    counts = Counter(text)
    try:
        vocabulary = Vocabulary.build(counts, min_count)
    except OptionError:
        assert max(counts.values()) < min_count
        return
    kept = set(vocabulary.tokens) - {UNKNOWN}
    assert all(counts[token] >= min_count for token in kept)
    if len(counts) > 1:
        assert 0 in vocabulary.encode(text).tolist()


@given(st.text(min_size=1))
def test_known_tokens_come_back(text: str) -> None:
    vocabulary = Vocabulary.build(Counter(text), min_count=1, closed=True)
    assert vocabulary.decode(vocabulary.encode(text).tolist()) == list(text)


def test_the_order_depends_on_counts_and_not_on_the_order_of_the_text() -> None:
    assert Vocabulary.build(Counter("aabbc"), 1, closed=True).tokens == [UNKNOWN, "a", "b", "c"]
    assert Vocabulary.build(Counter("cbbaa"), 1, closed=True).tokens == [UNKNOWN, "a", "b", "c"]


def test_a_closed_alphabet_keeps_its_rarest_letter() -> None:
    assert "c" in Vocabulary.build(Counter("aabbc"), 1, closed=True).tokens
    assert "c" not in Vocabulary.build(Counter("aabbc"), 1).tokens


def test_an_unseen_token_is_unknown() -> None:
    vocabulary = Vocabulary.build(Counter("aabbc"), 2)
    assert vocabulary.encode("az").tolist() == [1, 0]
    assert vocabulary.decode([1, 0]) == ["a", UNKNOWN]


def test_a_vocabulary_is_never_empty() -> None:
    with pytest.raises(OptionError, match=r"data\.min_count: 5 leaves no token, .* than 2 times"):
        Vocabulary.build(Counter("aab"), 5)


def test_at_most_so_many_tokens_are_kept() -> None:
    assert Vocabulary.build(Counter("aaabbc"), 1, max_size=2).tokens == [UNKNOWN, "a", "b"]


def test_documents_have_a_beginning_and_an_end() -> None:
    vocabulary = Vocabulary.build(Counter("aab"), 1, closed=True, bounded=True)
    assert vocabulary.bounded
    assert vocabulary.encode([BEGIN, "a", END]).tolist() == [BEGIN_ID, 3, END_ID]
    assert not Vocabulary.build(Counter("aab"), 1, closed=True).bounded
