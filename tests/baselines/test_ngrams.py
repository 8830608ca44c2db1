"""rnnlm/baselines/ngrams.py"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.baselines.ngrams import Ngrams, SplitTokens, numbered
from rnnlm.data.tokens.vocabulary import BEGIN_ID, END_ID


@given(st.lists(st.integers(-(2**62), 2**62)) | st.lists(st.integers(0, 5)))
def test_keys_are_numbered_as_numpy_does(keys: list[int]) -> None:
    distinct, ids = numbered(np.array(keys, dtype=np.int64))
    expected_distinct, expected_ids = np.unique(np.array(keys, np.int64), return_inverse=True)
    np.testing.assert_array_equal(distinct, expected_distinct)
    np.testing.assert_array_equal(ids, expected_ids)


@given(
    st.lists(st.integers(0, 2), min_size=1, max_size=40),
    st.lists(st.integers(0, 2), min_size=1, max_size=20),
    st.integers(1, 6),
)
def test_two_tokens_end_the_same_ngram_where_the_last_tokens_are_the_same(
    training: list[int], held_out: list[int], order: int
) -> None:
    texts = SplitTokens.of([np.array(training), np.array(held_out)], 3, None)
    ngrams = Ngrams.unigrams(texts)
    for _ in range(order - 1):
        ngrams = ngrams.one_longer(texts)
    expected = {
        start + end: tuple(text[end + 1 - order : end + 1])
        for start, text in ((0, training), (len(training), held_out))
        for end in range(order - 1, len(text))
    }
    assert ngrams.at_M.tolist() == list(expected)
    by_id = dict(zip(ngrams.ids_N[ngrams.at_M].tolist(), expected.values(), strict=True))
    assert all(by_id[ngrams.ids_N[at]] == ngram for at, ngram in expected.items())
    assert len(set(expected.values())) == len(by_id)
    counted = Counter(ngram for at, ngram in expected.items() if at < len(training))
    assert {by_id[index]: count for index, count in enumerate(ngrams.counts_G) if count} == (
        counted if order > 1 else {by_id[i]: c for i, c in enumerate(ngrams.counts_G) if c}
    )


def test_documents_keep_to_themselves() -> None:
    a, b = 3, 4
    document = [BEGIN_ID, a, b, END_ID]
    texts = SplitTokens.of([np.array(document * 2), np.array(document)], 5, BEGIN_ID)
    assert texts.before_N.tolist() == [0, 1, 2, 3] * 3
    unigrams = Ngrams.unigrams(texts)
    bigrams = unigrams.one_longer(texts)
    trigrams = bigrams.one_longer(texts)
    # <bos>a, ab and b<eos>; <bos>ab and ab<eos>.
    assert bigrams.counts_G.tolist() == [2, 2, 2]
    assert trigrams.counts_G.tolist() == [2, 2]
    # One token stands before a, b and <eos>; <bos> is not predicted.
    assert unigrams.num_left_neighbours(texts, bigrams).tolist() == [0, 0, 1, 1, 1]
    # <bos>a keeps its count.
    assert bigrams.num_left_neighbours(texts, trigrams).tolist() == [2, 1, 1]


def test_the_start_of_a_running_text_is_one_neighbour() -> None:
    a, b = 0, 1
    texts = SplitTokens.of([np.array([a, b, a, b]), np.array([b, b])], 2, None)
    unigrams = Ngrams.unigrams(texts)
    bigrams = unigrams.one_longer(texts)
    # Before a: the start and b; before b: a. bb is not in training.
    assert unigrams.num_left_neighbours(texts, bigrams).tolist() == [2, 1]
    # ab: the start and b; ba: a.
    trigrams = bigrams.one_longer(texts)
    assert bigrams.num_left_neighbours(texts, trigrams).tolist() == [2, 1, 0]


def test_a_vocabulary_whose_pairs_cannot_be_numbered_is_refused() -> None:
    with pytest.raises(ValueError, match="too many to be numbered"):
        SplitTokens.of([np.array([0, 1, 2])], 2**62, None)
