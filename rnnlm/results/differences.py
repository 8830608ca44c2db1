"""Differences between the groups of a comparison in a metric, and which are more than chance.

Every two groups are compared over the seeds that both have, by the paired t test. Holm's method
corrects p for the number of tests: if no groups differ, the probability that a comparison claims
any difference in a metric is at most 5 %. The chance is that of the seeds. It says nothing about
other texts.

A loss is a logarithm already: a loss d nats higher is a perplexity exp(d) times as high. So
perplexities and bits/char are compared by their logarithms, and their differences are in per cent.
An exact match is a share. It is compared as it is, and its differences are in percentage points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from statistics import fmean

from rnnlm.results.columns import Better, Column, Scale
from rnnlm.results.grouping import Comparison, Group
from rnnlm.results.phrases import listed
from rnnlm.results.record import Record
from rnnlm.results.statistics import ROUNDING, Summary, holm, paired_t_test

LEVEL = 0.05
# At most this many groups are compared. They have 435 pairs. With more, the table is too long to
# read, and the correction hides real differences.
MOST_GROUPS = 30


@dataclass(frozen=True)
class Difference:
    """The difference between two groups in a metric, over the seeds that both have.

    `effect` and its 95 % interval, `low` to `high`, say by how much `better` is better: in per cent
    of the worse group's value, or in percentage points of exact match. Where `low` is negative, the
    other group may be the better one. `n` is the number of shared seeds, and 0 where neither group
    has a seed. `p_corrected` is `p` after Holm's correction for `num_tests` tests. Without two
    shared seeds there is neither an interval nor a test.
    """

    metric: Column[Record]
    better: str
    worse: str
    effect: float
    low: float | None
    high: float | None
    n: int
    p: float | None
    p_corrected: float | None = None
    num_tests: int = 0

    @property
    def names(self) -> tuple[str, str]:
        """The names of both groups."""
        return self.better, self.worse

    @property
    def is_exact(self) -> bool:
        """True if neither group has a seed, so that nothing is left to chance."""
        return self.n == 0

    @property
    def is_distinguishable(self) -> bool | None:
        """True if the groups differ by more than chance; None where one seed cannot tell."""
        if self.is_exact:
            return self.effect > 100 * ROUNDING
        return None if self.p_corrected is None else self.p_corrected <= LEVEL


@dataclass(frozen=True)
class Differences:
    """The differences between every two groups of a comparison in one metric.

    Groups and pairs are in the order of the comparison's groups.
    """

    comparison: Comparison
    metric: Column[Record]
    groups: list[Group]
    pairs: list[Difference]
    # The names of two groups each.
    without_shared_seed: list[tuple[str, str]]
    # The name of each group that cannot be compared, with the reason.
    left_out: list[tuple[str, str]]
    # The number of groups beyond MOST_GROUPS.
    num_not_compared: int = 0

    @classmethod
    def of(cls, comparison: Comparison, metric: Column[Record]) -> Differences:
        """Compare every two groups.

        A group without seeds is compared with each seed of the other. A group without the metric is
        left out, and so is one with a value that is not finite: without the seeds that diverged it
        would look better than it is. If there are more than MOST_GROUPS, the best of them on
        validation are compared.

        Raises:
            ValueError: no value of the metric is better than another.
        """
        if metric.better is None:
            raise ValueError(f"{metric.heading} has no better and worse to compare")
        why = [(group, _why_not_compared(group, metric)) for group in comparison.groups]
        left_out = [(group.name, reason) for group, reason in why if reason]
        groups = [group for group, reason in why if not reason]
        groups, num_not_compared = groups[:MOST_GROUPS], max(0, len(groups) - MOST_GROUPS)
        least_std = _least_std(metric, [v for group in groups for v in group.values(metric)])
        pairs: list[Difference] = []
        without_shared_seed: list[tuple[str, str]] = []
        for first, second in combinations(groups, 2):
            if advantages := _advantages(first, second, metric):
                pairs.append(_difference(first, second, metric, advantages, least_std))
            else:
                without_shared_seed.append((first.name, second.name))
        pairs = _corrected(pairs)
        return cls(
            comparison, metric, groups, pairs, without_shared_seed, left_out, num_not_compared
        )

    @property
    def networks(self) -> list[Group]:
        """The groups that are not baselines."""
        return [group for group in self.groups if group.features]

    @property
    def tested(self) -> list[Difference]:
        """The pairs with at least two shared seeds."""
        return [pair for pair in self.pairs if pair.p is not None]

    @property
    def not_distinguishable(self) -> list[Difference]:
        """The pairs that were tested and may differ by chance."""
        return [pair for pair in self.tested if not pair.is_distinguishable]

    def best_of(self, groups: Sequence[Group]) -> Group | None:
        """Return the group with the best mean over its own seeds, on the scale of comparison."""

        def goodness(group: Group) -> float:
            return fmean(_goodness(self.metric, value) for value in group.values(self.metric))

        return max(groups, key=goodness, default=None)


def unit_of(metric: Column[Record]) -> str:
    """Return the unit of differences in a metric: `%` or `percentage points`."""
    return "percentage points" if metric.scale is Scale.share else "%"


def _goodness(metric: Column[Record], value: float) -> float:
    """A value on the scale of comparison, negated if lower is better: the higher, the better."""
    if metric.scale is Scale.ratio:
        value = math.log(value) if value > 0 else math.nan
    return -value if metric.better is Better.lower else value


def _effect(metric: Column[Record], advantage: float) -> float:
    """A difference in goodness, in percentage points or in per cent of the worse value."""
    if metric.scale is Scale.share:
        return max(-100.0, min(100.0, 100 * advantage))
    try:
        return -100 * math.expm1(-advantage)
    except OverflowError:
        return -math.inf


def _least_std(metric: Column[Record], values: Sequence[float]) -> float:
    """A lower bound of the standard deviation of the difference of two values.

    A share of n tasks is a multiple of 1/n. So all differences may be equal by chance: their
    standard deviation is 0, and the t test would be certain. Each share is rounded to a step, which
    has the variance step²/12. The step is taken to be the smallest gap between any two values.
    """
    if metric.scale is not Scale.share:
        return 0.0
    steps = [after - before for before, after in pairwise(sorted(values))]
    return min((step for step in steps if step > ROUNDING), default=1.0) / math.sqrt(6)


def _why_not_compared(group: Group, metric: Column[Record]) -> str:
    """The reason why a group cannot be compared, empty if it can."""
    values = group.by_seed(metric)
    if not values:
        return f"no {metric.heading}"
    diverged = [s for s, value in values.items() if not math.isfinite(_goodness(metric, value))]
    if not diverged:
        return ""
    seeds = "" if diverged == [None] else f" at seed {listed([str(seed) for seed in diverged])}"
    return f"{metric.heading} not finite{seeds}"


def _advantages(first: Group, second: Group, metric: Column[Record]) -> list[float]:
    """The goodness of the first group less that of the second, at each seed that both have."""
    ours, theirs = first.by_seed(metric), second.by_seed(metric)
    if ours.keys() == {None}:
        ours = dict.fromkeys(theirs, ours[None])
    elif theirs.keys() == {None}:
        theirs = dict.fromkeys(ours, theirs[None])
    return [_goodness(metric, ours[s]) - _goodness(metric, theirs[s]) for s in ours if s in theirs]


def _difference(
    first: Group,
    second: Group,
    metric: Column[Record],
    advantages: Sequence[float],
    least_std: float,
) -> Difference:
    better, worse = first, second
    if fmean(advantages) < 0:
        better, worse = worse, better
        advantages = [-advantage for advantage in advantages]
    summary = Summary.of(advantages, least_std)
    is_exact = all(group.by_seed(metric).keys() == {None} for group in (first, second))
    return Difference(
        metric,
        better.name,
        worse.name,
        effect=_effect(metric, summary.mean),
        low=None if summary.low is None else _effect(metric, summary.low),
        high=None if summary.high is None else _effect(metric, summary.high),
        n=0 if is_exact else summary.n,
        p=paired_t_test(advantages, least_std),
    )


def _corrected(pairs: Sequence[Difference]) -> list[Difference]:
    """The pairs with their p values after Holm's correction."""
    p_values = [pair.p for pair in pairs if pair.p is not None]
    corrected = iter(holm(p_values))
    return [
        pair
        if pair.p is None
        else replace(pair, p_corrected=next(corrected), num_tests=len(p_values))
        for pair in pairs
    ]
