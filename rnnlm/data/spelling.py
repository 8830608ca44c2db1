"""What an unknown token costs to spell, so that bits per character compare across vocabularies.

A model that predicts `<unk>` has not said which token it is. Bits per character therefore add, for
every unknown token, the cost of its characters under a unigram character model of the tokens that
were unknown in training (add-one smoothed over the characters of the training split; a character
that training never shows costs an escape and then ln 1,114,112, any code point alike).
"""

from __future__ import annotations

import math
from collections import Counter

CODE_POINTS = 0x110000
_END, _ESCAPE = "", "escape"


class Spelling:
    """The character model of unknown tokens."""

    def __init__(self, training: Counter[str], known: set[str]) -> None:
        """Learn from the training split's tokens and their counts.

        Args:
            known: the tokens of the vocabulary; the others are what was unknown.
        """
        counts: Counter[str] = Counter()
        for token, count in training.items():
            if token not in known:
                for symbol in (*token, _END):
                    counts[symbol] += count
        # Characters of which each is a token need no end: there is nothing to tell apart.
        self._with_end = any(len(token) > 1 for token in training)
        if not self._with_end:
            del counts[_END]
        alphabet = {character for token in training for character in token} | {_ESCAPE}
        alphabet |= {_END} if self._with_end else set()
        total = sum(counts.values()) + len(alphabet)
        self._nats = {symbol: math.log(total / (counts[symbol] + 1)) for symbol in alphabet}

    def nats(self, token: str) -> float:
        """The cost of spelling an unknown token."""
        unseen = self._nats[_ESCAPE] + math.log(CODE_POINTS)
        spelled = sum(self._nats.get(character, unseen) for character in token)
        return spelled + (self._nats[_END] if self._with_end else 0.0)
