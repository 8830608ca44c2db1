"""The cost of spelling an unknown token, so that bits per character compare across vocabularies.

A model that predicts `<unk>` has not said which token it is. Bits per character therefore add the
cost of the characters of every unknown token. A unigram character model gives it, learned from the
tokens that were unknown in training, add-one smoothed over the characters of the training split. A
character that training never shows costs an escape and ln 1,114,112: all code points are alike.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Self

CODE_POINTS = 0x110000
_END, ESCAPE = "", "escape"


class Spelling:
    """The character model of unknown tokens.

    Args:
        costs: nats for each character, for the escape and, if tokens have one, for their end.
    """

    def __init__(self, costs: dict[str, float]) -> None:
        self.costs = costs
        # Tokens that are all single characters need no end.
        self._end_cost = costs.get(_END, 0.0)

    @classmethod
    def learned(cls, training: Counter[str], known: set[str]) -> Self:
        """Return the model of the training split's tokens that are not in the vocabulary `known`.

        Args:
            training: all tokens of the split, with their counts.
        """
        counts: Counter[str] = Counter()
        for token, count in training.items():
            if token not in known:
                for symbol in (*token, _END):
                    counts[symbol] += count
        alphabet = {character for token in training for character in token} | {ESCAPE}
        if any(len(token) > 1 for token in training):
            alphabet.add(_END)
        else:
            del counts[_END]
        total = sum(counts.values()) + len(alphabet)
        return cls({symbol: math.log(total / (counts[symbol] + 1)) for symbol in alphabet})

    def nats(self, token: str) -> float:
        """Return the cost of spelling an unknown token, in nats."""
        unseen = self.costs[ESCAPE] + math.log(CODE_POINTS)
        return sum(self.costs.get(character, unseen) for character in token) + self._end_cost
