"""Interpolated Kneser-Ney as a textbook has it, with dictionaries, to compare with."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

Gram = tuple[int, ...]


class TextbookKneserNey:
    """One order, by recursion.

    Args:
        texts: what it learns from; each begins with `begin`, if there is such a token.
        predictable: the tokens that can come next.
    """

    def __init__(
        self,
        texts: Sequence[Gram],
        predictable: Sequence[int],
        order: int,
        num_discounts: int,
        begin: int | None,
    ) -> None:
        self.predictable = predictable
        self.order = order
        self.num_discounts = num_discounts
        raw: dict[int, Counter[Gram]] = {n: Counter() for n in range(1, order + 1)}
        left: dict[Gram, set[object]] = defaultdict(set)
        for number, text in enumerate(texts):
            for n in range(1, order + 1):
                for start in range(len(text) - n + 1):
                    gram = text[start : start + n]
                    raw[n][gram] += 1
                    # The start of each text is a neighbour like no other.
                    left[gram].add(text[start - 1] if start else ("start of text", number))
        self.counts: dict[int, dict[Gram, int]] = {order: dict(raw[order])}
        for n in range(1, order):
            self.counts[n] = {gram: len(left[gram]) for gram in raw[n] if gram != (begin,)}
        self.totals: Counter[Gram] = Counter()
        self.followers: dict[Gram, list[int]] = defaultdict(list)
        for counts in self.counts.values():
            for gram, count in counts.items():
                self.totals[gram[:-1]] += count
                self.followers[gram[:-1]].append(count)
        self.discounts = {
            n: self.estimate(list(counts.values())) for n, counts in self.counts.items()
        }

    def estimate(self, counts: Sequence[int]) -> tuple[float, float, float]:
        """Discounts of counts of 1, 2 and more."""
        n1, n2, n3, n4 = (counts.count(k) for k in (1, 2, 3, 4))
        if self.num_discounts == 1:
            single = 0.5 if n1 * n2 == 0 else n1 / (n1 + 2 * n2)
            return single, single, single
        if n1 * n2 == 0:
            return 0.5, 1.0, 1.5
        y = n1 / (n1 + 2 * n2)
        first, second, third = y, 1.0, 1.5
        if n3 and 0 < 2 - 3 * y * n3 / n2 <= 2:
            second = 2 - 3 * y * n3 / n2
        if n3 and n4 and 0 < 3 - 4 * y * n4 / n3 <= 3:
            third = 3 - 4 * y * n4 / n3
        return first, second, third

    def probability(self, token: int, before: Gram) -> float:
        """Return the probability of a token after all those before it in its text."""
        kept = min(len(before), self.order - 1)
        return self._probability(token, before[len(before) - kept :])

    def _probability(self, token: int, context: Gram) -> float:
        lower = self._probability(token, context[1:]) if context else 1 / len(self.predictable)
        total = self.totals[context]
        if not total:
            return lower
        n = len(context) + 1
        count = self.counts[n].get((*context, token), 0)
        own = count - self.discount(n, count)
        left = sum(self.discount(n, each) for each in self.followers[context])
        return (own + left * lower) / total

    def discount(self, n: int, count: int) -> float:
        """Return the discount of a count of order n."""
        return self.discounts[n][min(count, 3) - 1] if count else 0.0
