"""The band of a group's curves: the mean, the lowest and the highest value over the seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

# x and y by the epochs done, as `History.series` returns them.
Series = Mapping[float, tuple[float, float]]


@dataclass(frozen=True)
class Band:
    """The mean, the lowest and the highest of the seeds at each epoch that all were measured at.

    `alone` holds x and y of the seeds that go on after another has stopped, from the last epoch in
    common on.
    """

    num_seeds: int
    x: list[float]
    mean: list[float]
    low: list[float]
    high: list[float]
    alone: list[tuple[list[float], list[float]]]

    @classmethod
    def of(cls, seeds: Sequence[Series], unit: float = 1.0) -> Band:
        """Return the band of one seed or more, none of them empty; x is divided by the unit."""
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
        """The end that is furthest to the right."""
        ends = [(x[-1], y[-1]) for x, y in ((self.x, self.mean), *self.alone) if x]
        return max(ends, key=lambda end: end[0])

    @property
    def values(self) -> list[float]:
        """Every value that a y axis has to show."""
        return [*self.low, *self.high, *(value for _, y in self.alone for value in y)]
