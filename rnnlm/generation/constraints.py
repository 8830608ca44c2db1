"""What may be written, and when a text is complete."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from rnnlm.data.vocabulary import BEGIN_ID, END_ID, UNKNOWN_ID, Vocabulary


class Constraint(ABC):
    """Asked before and after each token, of what has been written after the prompt."""

    # A text is at most so many tokens long; None leaves it to what is asked for.
    longest: int | None = None

    @abstractmethod
    def forbidden(self, texts: Sequence[Sequence[int]]) -> Tensor:
        """The tokens that may not come next, never all: (B, V) bool, or (V,) if alike for all."""

    @abstractmethod
    def is_complete(self, written: Sequence[int]) -> bool:
        """Whether the text has come to its end with the last token."""

    @abstractmethod
    def added(self, written: Sequence[int]) -> str:
        """What the last token adds to the text."""


class FreeText(Constraint):
    """Any tokens that are text, up to `<eos>` or up to and with a text to stop after."""

    def __init__(self, vocabulary: Vocabulary, stop: Sequence[str] = ()) -> None:
        self._tokens, self._stop = vocabulary.tokens, stop
        self._end = END_ID if vocabulary.bounded else None
        self._longest_stop = max(map(len, stop), default=0)
        self._forbidden = torch.zeros(len(vocabulary), dtype=torch.bool)
        self._forbidden[UNKNOWN_ID] = True
        if vocabulary.bounded:
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
        """How much of the last token is before the end of a text to stop after."""
        earlier = "".join(self._tokens[index] for index in written[-self._longest_stop : -1])
        recent = earlier + self._tokens[written[-1]]
        # What would have ended within an earlier token has stopped the text then.
        found = [
            (recent.find(text, max(0, len(earlier) - len(text) + 1)), text) for text in self._stop
        ]
        ends = [start + len(text) for start, text in found if start >= 0]
        return min(ends) - len(earlier) if ends else None
