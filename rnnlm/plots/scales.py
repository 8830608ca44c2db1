"""The scales of axes: linear or logarithmic, with units, ticks, and guides across the axes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator

from rnnlm.plots.layout import listed
from rnnlm.plots.style import GUIDE, LINE_STYLES
from rnnlm.results.columns import Column
from rnnlm.results.grouping import Group
from rnnlm.results.history import can_be_drawn
from rnnlm.results.record import Record

# A scale is logarithmic if the largest value is at least 8 times the smallest, and has ticks at
# powers of ten only from 100 times.
LOGARITHMIC_FROM, POWERS_FROM = 8.0, 100.0
# A logarithmic scale has no margin below smaller values.
SMALLEST = 1e-100
MOST_INTERVALS = 6
# The greatest distance of a guide from the values, as a share of their range.
REACH = 0.75
MINUTE, HOUR = 60.0, 3600.0


def with_unit(label: str, most: float, is_time: bool) -> tuple[str, float]:
    """The label of an axis of seconds or counts up to a value, and a unit of few digits."""
    if not is_time:
        return (f"{label} (millions)", 1e6) if most >= 1e6 else (label, 1.0)
    if most < 5 * MINUTE:
        return f"{label} (seconds)", 1.0
    return (f"{label} (minutes)", MINUTE) if most < 5 * HOUR else (f"{label} (hours)", HOUR)


def spans_much(values: Iterable[float]) -> bool:
    """Tell whether a linear scale would press the smaller ones of the values together."""
    found = list(values)
    return min(found, default=0.0) >= SMALLEST and max(found) >= LOGARITHMIC_FROM * min(found)


def set_scale(
    axes: Axes, which: Literal["x", "y"], values: Sequence[float], label: str, whole: bool = False
) -> None:
    """Set the scale of an axis by the values that it shows, and label it.

    Args:
        whole: have ticks at whole numbers only.
    """
    axis = axes.xaxis if which == "x" else axes.yaxis
    if spans_much(values):
        axes.set(**{f"{which}scale": "log"})
        digits = (1,) if max(values) >= POWERS_FROM * min(values) else (1, 2, 5)
        axis.set_major_locator(LogLocator(subs=digits, numticks=MOST_INTERVALS))
        label = f"{label}, log scale"
    else:
        axes.locator_params(which, nbins=MOST_INTERVALS, integer=whole)
    axes.minorticks_off()
    axis.set_major_formatter("{x:,.10g}")
    axis.set_label_text(label)


def means_of(groups: Iterable[Group], column: Column[Record]) -> dict[str, float]:
    """The mean of a metric over the seeds of each group that has it, by the group's name."""
    values = {group.name: group.values(column) for group in groups}
    means = {name: fmean(own) for name, own in values.items() if own}
    return {name: mean for name, mean in means.items() if can_be_drawn(mean)}


def set_scale_with_guides(
    axes: Axes, values: Sequence[float], groups: Iterable[Group], column: Column[Record]
) -> tuple[dict[Line2D, float], list[str]]:
    """Set the scale of the y axis by values, and draw guides: lines across at means of groups.

    Returns:
        The guides with their values, and a note that names those that are off the scale.
    """
    guides = means_of(groups, column)
    near = {name: value for name, value in guides.items() if is_near(value, values)}
    set_scale(axes, "y", [*values, *near.values()], column.in_words)
    lines = {}
    for index, (name, value) in enumerate(near.items()):
        style = LINE_STYLES[-1 - index % len(LINE_STYLES)]
        label = f"{name} {column.show(value)}"
        lines[axes.axhline(value, label=label, linestyle=style, **GUIDE)] = value
    off = [f"{name} {column.show(value)}" for name, value in guides.items() if name not in near]
    return lines, [f"Off the scale: {listed(off)}."] if off else []


def is_near(guide: float, values: Sequence[float]) -> bool:
    """Tell whether a scale can show a guide too without pressing the values together."""
    low, high = min(values), max(values)
    if spans_much(values) and guide > 0:
        low, high, guide = math.log(low), math.log(high), math.log(guide)
    reach = REACH * ((high - low) or abs(high) / 2 or 1.0)
    return low - reach <= guide <= high + reach
