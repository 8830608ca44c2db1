"""The vocabulary: the index of each token (`ids_N` holds them), from the training split alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from rnnlm.options import OptionError

UNKNOWN, BEGIN, END = "<unk>", "<bos>", "<eos>"
UNKNOWN_ID, BEGIN_ID, END_ID = 0, 1, 2


class Vocabulary:
    """An ordered set of tokens.

    Index 0 is `<unk>`, which stands for every token not in the set. In a vocabulary of documents,
    `<bos>` and `<eos>` follow, which stand before and after each document.
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = list(tokens)
        self._index = {token: index for index, token in enumerate(self.tokens)}
        if self.tokens[:1] != [UNKNOWN] or len(self._index) != len(self.tokens):
            raise ValueError(f"a vocabulary starts with {UNKNOWN} and holds no token twice")

    @classmethod
    def build(
        cls,
        training: Counter[str],
        min_count: int,
        max_size: int | None = None,
        has_documents: bool = False,
    ) -> Vocabulary:
        """Keep the tokens that occur at least `min_count` times; the rarer ones become `<unk>`.

        If no token is rarer, the training split has no `<unk>`. An example is DNA, which has only
        four letters. A token that only other splits have is `<unk>` even then; its loss there is
        high and finite.

        Args:
            training: the count of each token in the training split.
            max_size: keep at most this many tokens, the most frequent.
            has_documents: True if the text is in documents, between `<bos>` and `<eos>`.

        Raises:
            OptionError: nothing but `<unk>` would be left.
        """
        special = [UNKNOWN, BEGIN, END] if has_documents else [UNKNOWN]
        # The most frequent first; equal counts in code point order, so the order is fixed.
        ranked = sorted(training, key=lambda token: (-training[token], token))
        ranked = [token for token in ranked if token not in special]
        kept = [token for token in ranked if training[token] >= min_count][:max_size]
        if not kept:
            most = training[ranked[0]] if ranked else 0
            raise OptionError(
                "data.min_count", f"{min_count} leaves no token, none occurs more than {most} times"
            )
        return cls([*special, *kept])

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: object) -> bool:
        return token in self._index

    @property
    def has_documents(self) -> bool:
        """Return True if it has `<bos>` and `<eos>`."""
        return self.tokens[BEGIN_ID : END_ID + 1] == [BEGIN, END]

    def encode(self, tokens: Iterable[str]) -> np.ndarray:
        """Return the indices of the tokens, (N,), int32."""
        get = self._index.get
        return np.fromiter((get(token, UNKNOWN_ID) for token in tokens), dtype=np.int32)

    def decode(self, indices: Iterable[int]) -> list[str]:
        """Return the tokens that the indices stand for."""
        return [self.tokens[index] for index in indices]
