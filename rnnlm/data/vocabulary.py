"""The vocabulary: which token is which number, learned from the training split alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from rnnlm.options import OptionError

UNKNOWN, BEGIN, END = "<unk>", "<bos>", "<eos>"
UNKNOWN_ID, BEGIN_ID, END_ID = 0, 1, 2


class Vocabulary:
    """An ordered set of tokens.

    Index 0 is `<unk>`, which stands for every token not in the set. A vocabulary of documents goes
    on with `<bos>` and `<eos>`, which stand before and after each.
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
        bounded: bool = False,
    ) -> Vocabulary:
        """Keep the tokens that occur at least `min_count` times; the rarer ones become `<unk>`.

        Where none is rarer, none is taken for `<unk>`: the letters of DNA are four. A token that
        training lacks is `<unk>` all the same, of which a network has then learned one thing, that
        it never comes: its loss there is high and finite.

        Args:
            training: how often each token occurs in the training split.
            max_size: keep at most this many of the most frequent tokens.
            bounded: whether the text is in documents, between `<bos>` and `<eos>`.

        Raises:
            OptionError: nothing but `<unk>` would be left.
        """
        special = [UNKNOWN, BEGIN, END] if bounded else [UNKNOWN]
        # Most frequent first; ties in code point order, so that the order is always the same.
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
    def bounded(self) -> bool:
        """Whether it has `<bos>` and `<eos>`."""
        return self.tokens[BEGIN_ID : END_ID + 1] == [BEGIN, END]

    def encode(self, tokens: Iterable[str]) -> np.ndarray:
        """Indices of the tokens, shape (N,), int32."""
        get = self._index.get
        return np.fromiter((get(token, UNKNOWN_ID) for token in tokens), dtype=np.int32)

    def decode(self, indices: Iterable[int]) -> list[str]:
        """The tokens that the indices stand for."""
        return [self.tokens[index] for index in indices]
