"""Which groups of a comparison differ in a figure by more than chance, and by how much.

Every two groups are compared over the seeds that both have, by the paired t test, and p is
corrected by Holm's method for the number of tests: where nothing differs, the probability that a
comparison claims any difference in a figure is at most 5 %. Chance is the seed's; another text may
say otherwise.

Losses are logarithms already: one that is d nats higher is a perplexity exp(d) times as high. So
perplexities and bits/char are compared by their logarithms and their differences given in per cent.
An exact match is a share, compared as it is, and its differences are in percentage points.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from statistics import fmean

from rnnlm.results.columns import Better, Column, Scale
from rnnlm.results.grouping import Comparison, Group
from rnnlm.results.record import Record
from rnnlm.results.statistics import ROUNDING, Summary, holm, paired_t_test

LEVEL = 0.05
# More would be half a thousand pairs, which nobody reads and whose correction finds little.
MOST_GROUPS = 30


@dataclass(frozen=True)
class Difference:
    """By how much the better of two groups is better in a figure, over the seeds they share.

    `effect`, and `low` to `high`, the 95 % interval of it by itself, are in per cent of the worse
    group's value, or in percentage points of exact match. Where `low` is negative, the other group
    may be the better one. `n` counts the shared seeds and is 0 where neither group has any to vary.
    `p_corrected` is `p` after Holm's correction for `num_tests` tests. Without two shared seeds
    there is neither an interval nor a test.
    """

    figure: Column[Record]
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
    def is_exact(self) -> bool:
        """Whether neither group has a seed, so that nothing is left to chance."""
        return self.n == 0

    @property
    def is_distinguishable(self) -> bool | None:
        """Whether the groups differ by more than chance; None where one seed cannot tell."""
        if self.is_exact:
            return self.effect > 100 * ROUNDING
        return None if self.p_corrected is None else self.p_corrected <= LEVEL

    @property
    def amount(self) -> str:
        """The effect in words, such as `3.1 % lower`, or `the same`."""
        scale, shown = _Scale.of(self.figure), _shown(self.effect)
        return "the same" if shown == "0" else f"{shown} {scale.unit} {scale.direction}"

    def than(self, other: str) -> str:
        """The effect against another, such as `3.1 % lower than` it."""
        return f"{self.amount} {'as' if self.amount == 'the same' else 'than'} {other}"

    def sentence(self) -> str:
        """All of it, in words."""
        name = _Scale.of(self.figure).name
        differs = f"{name} of {self.better} is {self.than(f'of {self.worse}')}"
        if self.is_exact:
            return f"{differs}, exactly: neither has a seed to vary"
        if self.p_corrected is None:
            return f"{differs}, by one seed, which cannot tell a difference from chance"
        interval, tested = self._interval(), f"n = {self.n}, {_p(self.p_corrected)}"
        if self.num_tests > 1:
            tested += f" after Holm's correction for {self.num_tests} comparisons"
        if self.is_distinguishable:
            return f"{differs}, {interval}, {tested}"
        if self.p is not None and self.p <= LEVEL:
            interval += " before correction"
        return (
            f"{name} of {self.better} is not distinguishable from that of {self.worse}: "
            f"{self.amount}, {interval}, {tested}"
        )

    def _interval(self) -> str:
        assert self.low is not None
        assert self.high is not None
        scale = _Scale.of(self.figure)
        low, high = _shown(self.low), _shown(self.high)
        if self.low >= 0 or low == "0":
            return f"95 % interval {low} to {high} {scale.unit}"
        return (
            f"95 % interval from {low} {scale.unit} {scale.opposite} "
            f"to {high} {scale.unit} {scale.direction}"
        )


@dataclass(frozen=True)
class Differences:
    """Those of every two groups of a comparison in one figure.

    Groups and pairs of them stand in the order that the comparison has its groups in.
    """

    figure: Column[Record]
    groups: list[Group]
    pairs: list[Difference]
    # Two names each.
    without_shared_seed: list[tuple[str, str]]
    # A name each, and why it is not among the groups.
    left_out: list[tuple[str, str]]
    # How many more there were, worse on validation than those compared.
    num_worse: int = 0

    @classmethod
    def of(cls, comparison: Comparison, figure: Column[Record]) -> Differences:
        """Compare every two groups.

        A group without seeds is compared with each seed of the other. A group without the figure is
        left out, and so is one with a value that is not finite: without the seeds that diverged it
        would look better than it is. Of more than MOST_GROUPS the best on validation are compared.

        Raises:
            ValueError: no value of the figure is better than another.
        """
        scale = _Scale.of(figure)
        left_out = [
            (group.name, why) for group in comparison.groups if (why := _why_not(group, figure))
        ]
        groups = [group for group in comparison.groups if not _why_not(group, figure)]
        groups, num_worse = groups[:MOST_GROUPS], max(0, len(groups) - MOST_GROUPS)
        values = [value for group in groups for value in group.values(figure)]
        least_std = scale.least_std(values)
        pairs: list[Difference] = []
        without_shared_seed: list[tuple[str, str]] = []
        for first, second in combinations(groups, 2):
            if advantages := _advantages(first, second, figure):
                pairs.append(_difference(first, second, figure, advantages, least_std))
            else:
                without_shared_seed.append((first.name, second.name))
        corrected = iter(holm([pair.p for pair in pairs if pair.p is not None]))
        num_tests = sum(pair.p is not None for pair in pairs)
        pairs = [
            pair
            if pair.p is None
            else replace(pair, p_corrected=next(corrected), num_tests=num_tests)
            for pair in pairs
        ]
        return cls(figure, groups, pairs, without_shared_seed, left_out, num_worse)

    @property
    def unit(self) -> str:
        """What effects and their intervals are in: `%` or `percentage points`."""
        return _Scale.of(self.figure).unit

    @property
    def best(self) -> Group | None:
        """The group with the best mean over its own seeds, on the scale that is compared on."""
        return self.best_of(self.groups)

    @property
    def networks(self) -> list[Group]:
        """The groups that are no baselines."""
        return [group for group in self.groups if group.features]

    def best_of(self, groups: Sequence[Group]) -> Group | None:
        """The one of some groups with the best mean."""
        scale = _Scale.of(self.figure)

        def goodness(group: Group) -> float:
            return fmean(scale.goodness(value) for value in group.values(self.figure))

        return max(groups, key=goodness, default=None)

    @property
    def tested(self) -> list[Difference]:
        """The pairs with two seeds or more to go by."""
        return [pair for pair in self.pairs if pair.p is not None]

    @property
    def not_distinguishable(self) -> list[Difference]:
        """What was tested and may be chance."""
        return [pair for pair in self.tested if not pair.is_distinguishable]

    def paragraph(self) -> str:
        """What is best, what cannot be distinguished, and how that was found; a line each."""
        one = len(self.pairs) == 1
        lines = (
            *self.answer(),
            _as_sentence(self.pairs[0].sentence()) if one else self._about_pairs(),
            self._about_not_compared(),
            self._about_the_method(),
        )
        return "\n".join(line for line in lines if line)

    def answer(self) -> list[str]:
        """What is best, and from what it can be distinguished; if a baseline, what network is."""
        if self.best is None or self.best.features or not self.networks:
            return [self._about_the_best(self.groups)]
        of_networks = self._about_the_best(self.networks)
        of_networks = f"Of the networks the {of_networks[0].lower()}{of_networks[1:]}"
        return [self._about_the_best(self.groups), of_networks]

    def _about_the_best(self, groups: Sequence[Group]) -> str:
        scale = _Scale.of(self.figure)
        best = self.best_of(groups)
        if best is None:
            return f"There is no {scale.name} to compare."
        name, names = best.name, [group.name for group in groups]
        line = f"{scale.superlative} {scale.name}: {name}"
        pairs = [pair for pair in self.pairs if pair.better in names and pair.worse in names]
        own = [pair for pair in pairs if name in (pair.better, pair.worse)]
        apart = [pair.worse for pair in own if pair.is_distinguishable and pair.better == name]
        # Their seeds are others than those of the best's mean.
        outdone_by = [pair.better for pair in own if pair.is_distinguishable and pair.worse == name]
        alike = [_other(n, name) for n in _names(p for p in own if not p.is_distinguishable)]
        others = len(groups) - 1
        if not others:
            return f"{line}, with nothing to compare it to."
        if len(apart) == others > 1:
            return f"{line}, distinguishable from all others."
        if len(alike) == others > 1:
            return f"{line}, not distinguishable from any other."
        if apart:
            line += f", distinguishable from {_listed(apart)}"
        if alike:
            line += f", not distinguishable from {_listed(alike)}"
        if outdone_by:
            line += f", but worse over the seeds they share than {_listed(outdone_by)}"
        return f"{line}."

    def _about_pairs(self) -> str:
        lines = (self._about_tests(), self._about_one_seed(), self._about_exact())
        return "\n".join(line for line in lines if line)

    def _about_tests(self) -> str:
        tested, alike = self.tested, self.not_distinguishable
        if len(tested) < 2:
            return "".join(_as_sentence(pair.sentence()) for pair in tested)
        if not alike:
            return f"All {len(tested)} tested differences are distinguishable."
        p_values = [pair.p_corrected for pair in alike if pair.p_corrected is not None]
        if len(alike) == len(tested):
            least = _p(min(p_values))
            return f"Not distinguishable: all of the {len(tested)} pairs tested (least {least})."
        notes = [f" ({_p(p)})" for p in p_values]
        return f"Not distinguishable: {self._by_group(_names(alike), 'from', notes)}."

    def _about_one_seed(self) -> str:
        pairs = [pair for pair in self.pairs if pair.is_distinguishable is None]
        if not pairs:
            return ""
        by_one_seed = "by one seed, which cannot tell a difference from chance"
        if len(pairs) == sum(not pair.is_exact for pair in self.pairs) > 1:
            return f"All of the {len(pairs)} pairs are compared {by_one_seed}."
        return f"Compared {by_one_seed}: {self._by_group(_names(pairs), 'with')}."

    def _about_exact(self) -> str:
        exact = [f"{p.better} is {p.than(p.worse)}" for p in self.pairs if p.is_exact]
        return f"Exact, without a seed to vary: {', '.join(exact)}." if exact else ""

    def _about_not_compared(self) -> str:
        parts = [f"{name} ({why})" for name, why in self.left_out]
        if self.without_shared_seed:
            parts.append(
                f"without a shared seed {self._by_group(self.without_shared_seed, 'with')}"
            )
        if self.num_worse:
            parts.append(f"{self.num_worse:,} more that are worse on validation")
        return f"Not compared: {', '.join(parts)}." if parts else ""

    def _about_the_method(self) -> str:
        if not self.tested:
            return ""
        method = f"Method: paired t test over seeds on {_Scale.of(self.figure).compared}"
        level = f"{100 * LEVEL:.0f} %"
        if len(self.tested) == 1:
            return f"{method}, at a level of {level}."
        return (
            f"{method}, Holm's correction for {len(self.tested)} comparisons to a level of {level} "
            "for all of them together; intervals are of each difference by itself."
        )

    def _by_group(
        self, pairs: Sequence[tuple[str, str]], word: str, notes: Sequence[str] = ()
    ) -> str:
        """Each pair once, with the group that stands first: `a from b and c; b from d`."""
        left = dict(zip(pairs, notes or [""] * len(pairs), strict=True))
        parts: list[str] = []
        for name in (group.name for group in self.groups):
            own = [pair for pair in left if name in pair]
            others = [f"{_other(pair, name)}{left.pop(pair)}" for pair in own]
            parts += [f"{name} {word} {_listed(others)}"] if others else []
        return "; ".join(parts)


@dataclass(frozen=True)
class _Scale:
    """How values of a figure are compared, and how their difference is called."""

    name: str
    # What differences are taken of, in words.
    compared: str
    on_scale: Callable[[float], float]
    effect: Callable[[float], float]
    unit: str
    better: Better
    has_steps: bool = False

    @classmethod
    def of(cls, figure: Column[Record]) -> _Scale:
        """The scale of a figure.

        Raises:
            ValueError: no value of the figure is better than another.
        """
        if figure.better is None:
            raise ValueError(f"{figure.heading} has no better and worse to compare")
        match figure.scale:
            case Scale.logarithm:
                name = figure.exp_heading
                return cls(name, f"the log of {name}", float, _percent_less, "%", figure.better)
            case Scale.log:
                name = figure.heading
                return cls(name, f"the log of {name}", _log, _percent_less, "%", figure.better)
            case Scale.share:
                name, unit = figure.heading, "percentage points"
                return cls(name, name, float, _points_more, unit, figure.better, has_steps=True)
            case Scale.linear:
                raise ValueError(f"{figure.heading} has no scale to compare on")

    def goodness(self, value: float) -> float:
        """A value on the scale, turned so that more is better."""
        return self.on_scale(value) * (-1 if self.better is Better.lower else 1)

    def least_std(self, values: Sequence[float]) -> float:
        """What the standard deviation of differences of two values is at least.

        A share of n tasks goes in steps of 1/n, and two seeds are easily the same number of steps
        apart by chance. A value's true place is anywhere within half a step, which is a variance of
        step²/12 for each of the two. The step is taken to be the least one between the values.
        """
        if not self.has_steps:
            return 0.0
        steps = [after - before for before, after in pairwise(sorted(values))]
        return min((step for step in steps if step > ROUNDING), default=1.0) / math.sqrt(6)

    @property
    def direction(self) -> str:
        """Where the better value is."""
        return self.better.value

    @property
    def opposite(self) -> str:
        """Where the worse value is."""
        return "higher" if self.better is Better.lower else "lower"

    @property
    def superlative(self) -> str:
        """How the best value is called."""
        return "Lowest" if self.better is Better.lower else "Highest"


def _why_not(group: Group, figure: Column[Record]) -> str:
    """Why a group cannot be compared in a figure; empty if it can."""
    values = group.by_seed(figure)
    if not values:
        return f"no {figure.heading}"
    scale = _Scale.of(figure)
    diverged = [s for s, value in values.items() if not math.isfinite(scale.on_scale(value))]
    if not diverged:
        return ""
    seeds = "" if diverged == [None] else f" at seed {_listed([str(seed) for seed in diverged])}"
    return f"{figure.heading} not finite{seeds}"


def _advantages(first: Group, second: Group, figure: Column[Record]) -> list[float]:
    """By how much the first is better, on the scale, at each seed that both have."""
    ours, theirs = first.by_seed(figure), second.by_seed(figure)
    if ours.keys() == {None}:
        ours = dict.fromkeys(theirs, ours[None])
    elif theirs.keys() == {None}:
        theirs = dict.fromkeys(ours, theirs[None])
    scale = _Scale.of(figure)
    return [scale.goodness(ours[s]) - scale.goodness(theirs[s]) for s in ours if s in theirs]


def _difference(
    first: Group,
    second: Group,
    figure: Column[Record],
    advantages: Sequence[float],
    least_std: float,
) -> Difference:
    better, worse = first.name, second.name
    if fmean(advantages) < 0:
        better, worse = worse, better
        advantages = [-advantage for advantage in advantages]
    effect = _Scale.of(figure).effect
    summary = Summary.of(advantages, least_std)
    is_exact = all(group.by_seed(figure).keys() == {None} for group in (first, second))
    return Difference(
        figure,
        better,
        worse,
        effect=effect(summary.mean),
        low=None if summary.low is None else effect(summary.low),
        high=None if summary.high is None else effect(summary.high),
        n=0 if is_exact else summary.n,
        p=paired_t_test(advantages, least_std),
    )


def _log(value: float) -> float:
    return math.log(value) if value > 0 else math.nan


def _percent_less(difference: float) -> float:
    """By how many per cent a value is less whose logarithm is less by this."""
    try:
        return -100 * math.expm1(-difference)
    except OverflowError:
        return -math.inf


def _points_more(difference: float) -> float:
    """The percentage points that a difference of two shares is; a hundred at most."""
    return max(-100.0, min(100.0, 100 * difference))


def _names(pairs: Iterable[Difference]) -> list[tuple[str, str]]:
    return [(pair.better, pair.worse) for pair in pairs]


def _other(pair: tuple[str, str], name: str) -> str:
    return pair[1] if pair[0] == name else pair[0]


def _as_sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _listed(names: Sequence[str]) -> str:
    """Such as `a, b and c`."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _shown(effect: float) -> str:
    """Without its sign, to a tenth, or to two digits where it is less than one."""
    size = abs(effect)
    if size < 100 * ROUNDING:
        return "0"
    if size >= 1:
        return f"{size:,.1f}"
    return f"{size:.{1 - math.floor(math.log10(size))}f}"


def shown_p(p: float) -> str:
    """To two digits, or to four where two would hide on which side of the level it is."""
    if p < 1e-4:
        return "< 0.0001"
    two = f"{p:.2g}"
    return f"{p:.4g}" if float(two) == LEVEL else two


def _p(p: float) -> str:
    return f"p {shown_p(p)}" if p < 1e-4 else f"p = {shown_p(p)}"
