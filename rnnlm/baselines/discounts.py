"""Discounts of counts, which leave some probability for n-grams that training does not show."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

# The discounts to use when the counts of counts do not determine them.
FALLBACK = (0.5, 1.0, 1.5)


class Discounts(Enum):
    """The discounts of an order: one for all counts, or three for counts of 1, 2 and more."""

    one = "one"
    three = "three"


@dataclass(frozen=True)
class EstimatedDiscounts:
    """The discounts of one order."""

    by_count: tuple[float, ...]  # for counts of 0, 1, 2, and 3 or more
    are_estimated: bool  # False if any of them is from FALLBACK

    def of(self, counts_G: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the discount of each count, (G,)."""
        return np.array(self.by_count)[np.minimum(counts_G, 3)]


def estimate(counts_G: NDArray[np.int64], discounts: Discounts) -> EstimatedDiscounts:
    """Estimate discounts from the numbers n_1 … n_4 of n-grams that have a count of 1 … 4.

    One discount is Y = n_1 / (n_1 + 2 n_2) (Ney, Essen & Kneser 1994). Three discounts are
    D_k = k - (k+1) Y n_(k+1) / n_k, the last for all counts from 3 (Chen & Goodman 1999). FALLBACK
    replaces a discount if one of these numbers is 0, or if the discount is not in (0, k]. (A
    discount of 0 would leave no probability for unseen n-grams.)

    Args:
        counts_G: the counts of the G n-grams of one order; zeros are ignored.
    """
    n = np.bincount(np.minimum(counts_G, 5), minlength=6).tolist()
    estimates = [_discount(n, k) for k in (1, 2, 3)]
    if discounts is Discounts.one:
        estimates, fallback = estimates[:1] * 3, FALLBACK[:1] * 3  # D_1 is Y
    else:
        fallback = FALLBACK
    values = [d if d is not None else f for d, f in zip(estimates, fallback, strict=True)]
    return EstimatedDiscounts((0.0, *values), None not in estimates)


def _discount(n: list[int], k: int) -> float | None:
    """Return D_k; None if the counts of counts do not determine it."""
    if 0 in n[1 : max(k, 2) + 1] or n[k + 1] == 0:
        return None
    y = n[1] / (n[1] + 2 * n[2])
    discount = k - (k + 1) * y * n[k + 1] / n[k]
    return discount if 0 < discount <= k else None
