"""Statistics over seeds: mean and interval, a paired test, and its correction for many tests.

All of them assume that the values are drawn independently from a normal distribution (Student,
The probable error of a mean, Biometrika 6, 1908). `scipy.stats.ttest_1samp` computes the same, but
its last digits depend on the order of the values, and it takes no least standard deviation.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95
# Losses, logarithms and shares are around 1, where a double is exact to 2e-16. A smaller difference
# between them than this is a rounding error.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Summary:
    """A metric over seeds, in the metric's unit.

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

    @property
    def parts(self) -> tuple[float | None, ...]:
        """The mean, the standard deviation and both ends of the interval."""
        return self.mean, self.std, self.low, self.high

    @classmethod
    def of(cls, values: Sequence[float], least_std: float = 0.0) -> Summary:
        """Return the summary of the values, the same to the last digit in any order.

        Args:
            values: at least one, in any unit.
            least_std: a known lower bound of the standard deviation, in the same unit.

        Raises:
            ValueError: there are no values.
        """
        n, mean = len(values), float(statistics.mean(values))
        if n == 1 or not all(map(math.isfinite, values)):
            return cls(n, mean)
        from scipy import stats  # the import takes most of a second, which most commands can save

        std = max(float(statistics.stdev(values)), least_std)
        margin = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)) * std / math.sqrt(n)
        return cls(n, mean, std, mean - margin, mean + margin)


def paired_t_test(differences: Sequence[float], least_std: float = 0.0) -> float | None:
    """Return the two-sided p value of the hypothesis that the mean difference is zero.

    Equal differences leave nothing to chance: p is 1 if they are zero and otherwise 0, unless
    `least_std` is larger. There is no test of fewer than two differences.

    Args:
        differences: differences between values around 1, to which ROUNDING applies.
        least_std: a known lower bound of their standard deviation.

    Raises:
        ValueError: a difference is not finite.
    """
    if not all(map(math.isfinite, differences)):
        raise ValueError(f"differences are finite, not {list(differences)}")
    if len(differences) < 2:
        return None
    summary = Summary.of(differences, least_std)
    assert summary.std is not None
    if summary.std <= ROUNDING:
        return 0.0 if abs(summary.mean) > ROUNDING else 1.0
    from scipy import stats

    n = summary.n
    return 2 * float(stats.t.sf(abs(summary.mean) / summary.std * math.sqrt(n), n - 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p values corrected for their number, in the order given.

    If every difference with a corrected p of at most a level is called real, the probability of
    even one false claim is at most that level, however the tests depend on each other (Holm,
    A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6,
    1979).
    """
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = highest
    return corrected
