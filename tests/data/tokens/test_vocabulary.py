"""rnnlm/data/tokens/vocabulary.py"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.data.tokens.vocabulary import BEGIN, BEGIN_ID, END, END_ID, UNKNOWN, Vocabulary
from rnnlm.options import OptionError


@given(st.text(min_size=1), st.integers(1, 4))
def test_a_token_is_unknown_where_it_is_rare_and_nowhere_else(text: str, min_count: int) -> None:
    counts = Counter(text)
    try:
        vocabulary = Vocabulary.build(counts, min_count)
    except OptionError:
        assert max(counts.values()) < min_count
        return
    kept = {token for token, count in counts.items() if count >= min_count}
    assert vocabulary.tokens[0] == UNKNOWN
    assert set(vocabulary.tokens[1:]) == kept
    assert set(vocabulary.decode(vocabulary.encode(text))) == kept | (
        {UNKNOWN} if len(kept) < len(counts) else set()
    )


@given(st.text(min_size=1))
def test_known_tokens_come_back(text: str) -> None:
    vocabulary = Vocabulary.build(Counter(text), min_count=1)
    assert vocabulary.decode(vocabulary.encode(text).tolist()) == list(text)


def test_the_order_depends_on_counts_and_not_on_the_order_of_the_text() -> None:
    assert Vocabulary.build(Counter("aabbc"), 1).tokens == [UNKNOWN, "a", "b", "c"]
    assert Vocabulary.build(Counter("cbbaa"), 1).tokens == [UNKNOWN, "a", "b", "c"]


def test_nothing_is_unknown_where_nothing_is_rare() -> None:
    dna = Counter("ACGT" * 10)
    for min_count in (1, 2, 10):
        assert Vocabulary.build(dna, min_count).tokens == [UNKNOWN, "A", "C", "G", "T"]
    assert "c" not in Vocabulary.build(Counter("aabbc"), 2).tokens


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
    vocabulary = Vocabulary.build(Counter("aab"), 1, has_documents=True)
    assert vocabulary.has_documents
    assert vocabulary.encode([BEGIN, "a", END]).tolist() == [BEGIN_ID, 3, END_ID]
    assert not Vocabulary.build(Counter("aab"), 1).has_documents
