"""A curve over seeds: their mean, from the lowest to the highest, and who goes on alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

# x and y by the epochs done, as `History.series` gives them.
Series = Mapping[float, tuple[float, float]]


@dataclass(frozen=True)
class SeedCurve:
    """What seeds have in common: at each epoch that all were measured at, the means of x and y.

    `alone` are those that go on after another has stopped, x and y from the last epoch in common.
    """

    num_seeds: int
    x: list[float]
    mean: list[float]
    low: list[float]
    high: list[float]
    alone: list[tuple[list[float], list[float]]]

    @classmethod
    def of(cls, seeds: Sequence[Series], unit: float = 1.0) -> SeedCurve:
        """The curve of one seed or more, none of them empty, its x divided by a unit's size."""
        common = sorted(set(seeds[0]).intersection(*seeds[1:]))
        last = common[-1] if common else float("-inf")
        rests = [[series[epoch] for epoch in sorted(series) if epoch >= last] for series in seeds]
        at = [[series[epoch] for series in seeds] for epoch in common]
        return cls(
            num_seeds=len(seeds),
            x=[fmean(x for x, _ in points) / unit for points in at],
            mean=[fmean(y for _, y in points) for points in at],
            low=[min(y for _, y in points) for points in at],
            high=[max(y for _, y in points) for points in at],
            alone=[
                ([x / unit for x, _ in rest], [y for _, y in rest])
                for rest in rests
                if len(rest) > 1 or not common
            ],
        )

    @property
    def last(self) -> tuple[float, float]:
        """The end that has come furthest, where its label belongs."""
        ends = [(x[-1], y[-1]) for x, y in ((self.x, self.mean), *self.alone) if x]
        return max(ends, key=lambda end: end[0])

    @property
    def every_x(self) -> list[float]:
        """Whatever an axis has to cover; likewise `every_y`."""
        return [*self.x, *(value for x, _ in self.alone for value in x)]

    @property
    def every_y(self) -> list[float]:
        """From the lowest seed to the highest."""
        return [*self.low, *self.high, *(value for _, y in self.alone for value in y)]
