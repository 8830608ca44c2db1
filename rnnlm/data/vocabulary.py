"""The vocabulary: which token is which number, learned from the training split alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from rnnlm.options import OptionError

UNKNOWN = "<unk>"


class Vocabulary:
    """An ordered set of tokens; index 0 is `<unk>`, which stands for every token not in the set."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = list(tokens)
        self._index = {token: index for index, token in enumerate(self.tokens)}
        if self.tokens[:1] != [UNKNOWN] or len(self._index) != len(self.tokens):
            raise ValueError(f"a vocabulary starts with {UNKNOWN} and holds no token twice")

    @classmethod
    def build(cls, training: Iterable[str], min_count: int, closed: bool = False) -> Vocabulary:
        """Keep the tokens that occur at least `min_count` times; the rarer ones become `<unk>`.

        A model can only predict `<unk>` sensibly if it has met it in training. So unless the
        alphabet is `closed` (no other token can ever come up), the least frequent token is mapped
        to `<unk>` where none falls below `min_count`.

        Raises:
            OptionError: nothing but `<unk>` would be left.
        """
        counts = Counter(training)
        # Most frequent first; ties in code point order, so that the order is always the same.
        ranked = sorted(counts, key=lambda token: (-counts[token], token))
        kept = [token for token in ranked if counts[token] >= min_count]
        if not closed and len(kept) == len(ranked) > 1:
            kept.pop()
        if not kept:
            most = counts[ranked[0]] if ranked else 0
            raise OptionError(
                "data.min_count",
                f"{min_count} leaves no token, none occurs more than {most} times",
            )
        return cls([UNKNOWN, *kept])

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, tokens: Iterable[str]) -> Tensor:
        """Indices of the tokens, shape (N,), int64."""
        index = self._index
        return torch.tensor([index.get(token, 0) for token in tokens], dtype=torch.int64)

    def decode(self, indices: Iterable[int]) -> list[str]:
        """The tokens that the indices stand for."""
        return [self.tokens[index] for index in indices]
