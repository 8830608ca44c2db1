"""What an axis says: its unit, its scale by the range of the data, and its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator

from rnnlm.results.columns import Column
from rnnlm.results.record import Record

# From this ratio of the largest to the smallest value on, an axis is logarithmic.
LOGARITHMIC_FROM = 8.0
MINUTE, HOUR = 60.0, 3600.0
# Intervals along an axis, at most.
MOST_INTERVALS = 6
# The share of the data's range that stays free at each end.
MARGIN = 0.06
# How far a guide may lie from the values, as a share of their range, so as to be shown.
REACH = 0.75
# Of ten, in a logarithmic scale: a float has little less.
SMALLEST_EXPONENT = -300.0
_METRICS = {"loss": "loss (nats per token)", "ppl": "perplexity", "bpc": "bits per character"}


@dataclass(frozen=True)
class Unit:
    """What is written at an axis, and how many of the data's units one of the axis' is."""

    label: str
    size: float = 1.0


def time_unit(what: str, longest: float) -> Unit:
    """Seconds, minutes or hours, so that the longest time, in seconds, has few digits."""
    if longest < 5 * MINUTE:
        return Unit(f"{what} (seconds)")
    return (
        Unit(f"{what} (minutes)", MINUTE) if longest < 5 * HOUR else Unit(f"{what} (hours)", HOUR)
    )


def token_unit(what: str, most: float) -> Unit:
    """Tokens, or millions of them."""
    return Unit(what) if most < 1e6 else Unit(f"{what} (millions)", 1e6)


def in_words(column: Column[Record]) -> str:
    """A figure's name and unit, as an axis says it."""
    split, _, metric = column.name.partition("_")
    return f"{split} {_METRICS[metric]}" if metric in _METRICS else column.heading


def number(value: float) -> str:
    """As written along an axis: thousands apart, and no digits that say nothing."""
    return f"{value:,.10g}".replace("-", "\N{MINUS SIGN}")


def spans_much(values: Iterable[float]) -> bool:
    """Whether a linear axis would not tell the smaller ones of these values apart."""
    found = list(values)
    return bool(found) and min(found) > 0 and max(found) >= LOGARITHMIC_FROM * min(found)


@dataclass(frozen=True)
class Scale:
    """An axis in its unit: its limits, its ticks, and the guides that would be beyond it."""

    limits: tuple[float, float]
    ticks: list[float]
    logarithmic: bool = False
    left_out: tuple[float, ...] = ()

    @classmethod
    def of(cls, values: Sequence[float], guides: Sequence[float] = ()) -> Scale:
        """Of some values, free at both ends; logarithmic where they span much.

        Guides, such as the figure of a baseline, are on it where they do not press the values
        together.
        """
        near = [guide for guide in guides if _is_near(guide, values)]
        covered = [*values, *near]
        logarithmic = spans_much(covered)
        low, high = _extent(covered, logarithmic)
        free = MARGIN * _range(low, high)
        low, high = low - free, high + free
        if logarithmic:
            low = max(low, SMALLEST_EXPONENT)
        left_out = tuple(guide for guide in guides if guide not in near)
        if logarithmic:
            return cls((10**low, 10**high), _logarithmic_ticks(low, high), True, left_out)
        return cls((low, high), _linear_ticks(low, high), False, left_out)

    @classmethod
    def of_progress(cls, values: Sequence[float], whole: bool) -> Scale:
        """Of what counts up: from 0 to the largest value.

        Args:
            whole: has whole numbers only.
        """
        most = max([0.0, *values]) or 1.0
        return cls((0.0, most), _linear_ticks(0.0, most, whole))

    @property
    def numbers(self) -> list[str]:
        """What is written at the ticks."""
        return [number(tick) for tick in self.ticks]


def _is_near(guide: float, values: Sequence[float]) -> bool:
    logarithmic = spans_much(values) and guide > 0
    low, high = _extent(values, logarithmic)
    value = math.log10(guide) if logarithmic else guide
    return max(value - high, low - value) <= REACH * _range(low, high)


def _extent(values: Sequence[float], logarithmic: bool) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    return (math.log10(low), math.log10(high)) if logarithmic else (low, high)


def _range(low: float, high: float) -> float:
    """The extent of values, or what one value alone may be given."""
    return (high - low) or abs(high) / 2 or 1.0


def _linear_ticks(low: float, high: float, whole: bool = False) -> list[float]:
    ticks = MaxNLocator(MOST_INTERVALS, integer=whole, steps=[1, 2, 2.5, 5, 10])
    return [float(tick) for tick in ticks.tick_values(low, high) if low <= tick <= high]


def _logarithmic_ticks(low: float, high: float) -> list[float]:
    """At 1, 2 and 5, or at powers of ten, between two exponents."""
    exponents = range(math.floor(low), math.ceil(high) + 1)
    every = math.ceil(len(exponents) / MOST_INTERVALS)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        ticks = [digit * 10.0**exponent for exponent in exponents[::every] for digit in digits]
        shown = [tick for tick in ticks if 10**low <= tick <= 10**high]
        if len(shown) <= MOST_INTERVALS + 1:
            break
    return shown
