"""What seeds say of a figure: mean and interval, a paired test, and its correction for many.

All of it takes the seeds' values to be drawn independently from a normal distribution (Student,
The probable error of a mean, Biometrika 6, 1908).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95
# Losses, logarithms and shares are around 1, where a double's last digit is worth 2e-16: what a
# difference of such values has below this is left over from their rounding.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Summary:
    """A figure over seeds, in the figure's unit.

    `std` is the standard deviation (over n - 1), `low` to `high` the 95 % t interval of the mean.
    All three are None for one value, and where a value is not finite.
    """

    n: int
    mean: float
    std: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def margin(self) -> float | None:
        """Half the width of the interval, None where there is none."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2

    @classmethod
    def of(cls, values: Sequence[float], least_std: float = 0.0) -> Summary:
        """The summary of some values; their order is of no consequence, to the last digit.

        Args:
            values: in any unit.
            least_std: what the standard deviation is known to be at least, in the same unit.

        Raises:
            ValueError: there are no values.
        """
        n, mean = len(values), float(statistics.mean(values))
        if n == 1 or not all(map(math.isfinite, values)):
            return cls(n, mean)
        from scipy import stats  # takes most of a second, which a single run need not wait

        std = max(float(statistics.stdev(values)), least_std)
        margin = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)) * std / math.sqrt(n)
        return cls(n, mean, std, mean - margin, mean + margin)


def paired_t_test(differences: Sequence[float], least_std: float = 0.0) -> float | None:
    """How probable differences with this mean, or one as far from zero, are by chance alone.

    That is the two-sided p; the mean and its interval are `Summary.of(differences, least_std)`.
    Differences that are all the same leave nothing to chance: p is 1 if they are zero and otherwise
    0, unless their standard deviation is known to be more. Fewer than two have no test.

    Args:
        differences: of values around 1.
        least_std: what their standard deviation is known to be at least.

    Raises:
        ValueError: a difference is not finite.
    """
    if not all(map(math.isfinite, differences)):
        raise ValueError(f"differences are finite, not {list(differences)}")
    n = len(differences)
    if n < 2:
        return None
    mean = float(statistics.mean(differences))
    std = max(float(statistics.stdev(differences)), least_std)
    if std <= ROUNDING:
        return 0.0 if abs(mean) > ROUNDING else 1.0
    from scipy import stats

    return 2 * float(stats.t.sf(abs(mean) / std * math.sqrt(n), n - 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values corrected for their number, in the order given.

    Where those up to a level are taken for real, the probability that any of them is not is at most
    that level, however the tests depend on each other (Holm, A simple sequentially rejective
    multiple test procedure, Scandinavian Journal of Statistics 6, 1979).
    """
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = highest
    return corrected
