"""Constraints on a text: the tokens that may come next, and where it is complete.

Shapes: B texts, V vocabulary.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from rnnlm.data.tokens.vocabulary import BEGIN_ID, END_ID, UNKNOWN_ID, Vocabulary


class Constraint(ABC):
    """A rule for texts. It is asked before and after each token that follows the prompt."""

    # The largest number of tokens of a text; None leaves it to the options.
    longest: int | None = None

    @abstractmethod
    def forbidden(self, texts: Sequence[Sequence[int]]) -> Tensor:
        """Return a mask of the tokens that may not come next, never all: (B, V) or (V,) bool."""

    @abstractmethod
    def is_complete(self, written: Sequence[int]) -> bool:
        """Tell whether the text ends with its last token."""

    @abstractmethod
    def added(self, written: Sequence[int]) -> str:
        """Return the characters that the last token adds to the text."""


class FreeText(Constraint):
    """Free text without `<unk>` and `<bos>`, until `<eos>` or the end of a stop string."""

    def __init__(self, vocabulary: Vocabulary, stop: Sequence[str] = ()) -> None:
        self._tokens, self._stop = vocabulary.tokens, stop
        self._end = END_ID if vocabulary.has_documents else None
        self._longest_stop = max(map(len, stop), default=0)
        self._forbidden = torch.zeros(len(vocabulary), dtype=torch.bool)
        self._forbidden[UNKNOWN_ID] = True
        if vocabulary.has_documents:
            self._forbidden[BEGIN_ID] = True

    def forbidden(self, texts: Sequence[Sequence[int]]) -> Tensor:
        return self._forbidden

    def is_complete(self, written: Sequence[int]) -> bool:
        if written[-1] == self._end:
            return True
        return bool(self._stop) and self._stopped_at(written) is not None

    def added(self, written: Sequence[int]) -> str:
        if written[-1] == self._end:
            return ""
        token = self._tokens[written[-1]]
        return token[: self._stopped_at(written)] if self._stop else token

    def _stopped_at(self, written: Sequence[int]) -> int | None:
        """Return how many characters of the last token stand before the end of a stop string."""
        earlier = "".join(self._tokens[index] for index in written[-self._longest_stop : -1])
        recent = earlier + self._tokens[written[-1]]
        # A stop string that ends before the last token would have ended the text before.
        found = [
            (recent.find(text, max(0, len(earlier) - len(text) + 1)), text) for text in self._stop
        ]
        ends = [start + len(text) for start, text in found if start >= 0]
        return min(ends) - len(earlier) if ends else None
