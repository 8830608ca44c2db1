"""N-grams as numbers: the n-gram that ends at each token, and its count in training.

The n-gram that ends at token i consists of the (n-1)-gram that ends at token i-1, and of token i.
So n-grams of any length are numbered by sorting pairs of numbers.

Shapes: N tokens of all splits, M tokens at which an n-gram ends, G distinct n-grams, V vocabulary.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Counts = NDArray[np.int64]
LARGEST_KEY = np.iinfo(np.int64).max


@dataclass(frozen=True)
class SplitTokens:
    """The tokens of all splits one after the other, beginning with train.

    No n-gram crosses the border of a sequence. With a `begin_id`, a sequence is a document, which
    starts with it. Otherwise each split is one sequence.
    """

    tokens_N: Ids
    before_N: Ids  # number of tokens before each token in its sequence
    ends: tuple[int, ...]  # the index after the last token of each split
    vocab_size: int
    begin_id: int | None

    @classmethod
    def of(
        cls, splits: Sequence[NDArray[np.integer]], vocab_size: int, begin_id: int | None
    ) -> SplitTokens:
        """Join the splits' token indices.

        Raises:
            ValueError: there are too many tokens to number their pairs.
        """
        ends = np.cumsum([len(split) for split in splits])
        if int(ends[-1]) * vocab_size > LARGEST_KEY or ends[-1] > np.iinfo(np.int32).max:
            raise ValueError(f"{ends[-1]:,} tokens of {vocab_size:,} are too many to be numbered")
        tokens_N = np.concatenate(splits).astype(np.int32)
        starts_N = tokens_N == begin_id if begin_id is not None else np.zeros(ends[-1], bool)
        starts_N[[0, *ends[:-1]]] = True
        index_N = np.arange(ends[-1], dtype=np.int32)
        before_N = index_N - np.maximum.accumulate(np.where(starts_N, index_N, np.int32(0)))
        return cls(tokens_N, before_N, tuple(ends.tolist()), vocab_size, begin_id)

    @property
    def slices(self) -> list[slice]:
        """The place of each split among the tokens."""
        return [slice(start, end) for start, end in itertools.pairwise((0, *self.ends))]

    @property
    def num_training(self) -> int:
        """The number of tokens of the train split."""
        return self.ends[0]

    @property
    def num_predictable(self) -> int:
        """The number of tokens that can come next: all but `<bos>`, which is given."""
        return self.vocab_size - (self.begin_id is not None)


@dataclass(frozen=True)
class Ngrams:
    """The n-grams of one order in all splits, numbered from 0, with their counts in training."""

    order: int
    at_M: NDArray[np.int64]  # the tokens at which an n-gram ends
    ids_N: Ids  # the number of the n-gram that ends at each token; 0, without meaning, if none does
    prefixes_G: Ids  # the number of the (n-1)-gram at its beginning, which is its context
    suffixes_G: Ids  # the number of the (n-1)-gram at its end
    counts_G: Counts  # the number of times that it occurs in training

    @classmethod
    def unigrams(cls, tokens: SplitTokens) -> Ngrams:
        """Return order 1: a token is its own number, and all tokens have the same context."""
        num_tokens, vocab_size = len(tokens.tokens_N), tokens.vocab_size
        context_V = np.zeros(vocab_size, np.int32)
        counts_V = np.bincount(tokens.tokens_N[: tokens.num_training], minlength=vocab_size)
        return cls(1, np.arange(num_tokens), tokens.tokens_N, context_V, context_V, counts_V)

    def one_longer(self, tokens: SplitTokens) -> Ngrams:
        """Return the n-grams of the next order; none crosses from one sequence to another."""
        at_M = np.flatnonzero(tokens.before_N >= self.order)
        keys_M = self.ids_N[at_M - 1].astype(np.int64)
        keys_M *= tokens.vocab_size
        keys_M += tokens.tokens_N[at_M]
        keys_G, ids_M = numbered(keys_M)
        ids_N = np.zeros(len(tokens.tokens_N), np.int32)
        ids_N[at_M] = ids_M
        suffixes_G = np.empty(len(keys_G), np.int32)
        suffixes_G[ids_M] = self.ids_N[at_M]
        training = np.searchsorted(at_M, tokens.num_training)
        return Ngrams(
            self.order + 1,
            at_M,
            ids_N,
            (keys_G // tokens.vocab_size).astype(np.int32),
            suffixes_G,
            np.bincount(ids_M[:training], minlength=len(keys_G)),
        )

    def num_left_neighbours(self, tokens: SplitTokens, longer: Ngrams) -> Counts:
        """Return the number of different tokens before each n-gram in training, (G,).

        An n-gram at the start of a sequence has nothing before it; each such time counts as one
        more neighbour. So an n-gram that starts with `<bos>` keeps its count.

        Args:
            longer: the n-grams of the next order.
        """
        neighbours_G = np.bincount(
            longer.suffixes_G[longer.counts_G > 0], minlength=len(self.prefixes_G)
        )
        before_N = tokens.before_N[: tokens.num_training]
        starts = np.flatnonzero(before_N == self.order - 1)
        neighbours_G += np.bincount(self.ids_N[starts], minlength=len(self.prefixes_G))
        if self.order == 1 and tokens.begin_id is not None:
            # `<bos>` is only a context and is never predicted.
            neighbours_G[tokens.begin_id] = 0
        return neighbours_G


def numbered(keys_M: NDArray[np.int64]) -> tuple[NDArray[np.int64], Ids]:
    """Return the distinct keys in ascending order, (G,), and the index of each key in them, (M,).

    This is `np.unique` with its inverse, in a third of the time.
    """
    order_M = np.argsort(keys_M)
    sorted_M = keys_M[order_M]
    is_new_M = np.ones(len(keys_M), bool)
    np.not_equal(sorted_M[1:], sorted_M[:-1], out=is_new_M[1:])
    ids_M = np.empty(len(keys_M), np.int32)
    ids_M[order_M] = np.cumsum(is_new_M, dtype=np.int32) - 1
    return sorted_M[is_new_M], ids_M
