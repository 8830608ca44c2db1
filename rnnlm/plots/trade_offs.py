"""Quality against what it costs: parameters, or time of training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from matplotlib.figure import Figure

from rnnlm.plots.guides import guide_labels, guides_of, off_the_scale
from rnnlm.plots.label_column import Label
from rnnlm.plots.notes import capitalised, on_failures, on_seeds
from rnnlm.plots.placement import Box, are_apart, beside
from rnnlm.plots.scale import Scale, Unit, in_words, time_unit
from rnnlm.plots.scaled_sheet import scaled_sheet
from rnnlm.plots.sheet import Sheet, Wording
from rnnlm.plots.style import CROWD_COLOUR, MOST_TOLD_APART, NOTE_SIZE, TO_LABEL, Looks
from rnnlm.plots.text_block import Block, block
from rnnlm.results.columns import Column
from rnnlm.results.grouping import Comparison, Group
from rnnlm.results.history import has_a_place
from rnnlm.results.record import Record

# What quality is held against, by the column of it.
COSTS = {"num_parameters": "parameters", "train_seconds": "training time"}
# In inches: what a marker takes up, half the thickness of a line, how near a name needs no line to
# its point, and how wide it may be.
MARKER, THIN, NEAR, WIDEST_NAME = 0.09, 0.01, 0.13, 2.0


@dataclass(frozen=True)
class _Dot:
    """A group's cost and quality over its seeds, in the axes' units."""

    group: Group
    costs: list[float]
    qualities: list[float]

    @property
    def middle(self) -> tuple[float, float]:
        return fmean(self.costs), fmean(self.qualities)

    @property
    def bars(self) -> list[tuple[tuple[float, float], tuple[float, float]]]:
        """From the lowest seed to the highest, each way: x and y of both ends."""
        x, y = self.middle
        return [
            ((min(self.costs), max(self.costs)), (y, y)),
            ((x, x), (min(self.qualities), max(self.qualities))),
        ]


def has_trade_off(comparison: Comparison, quality: Column[Record], cost: Column[Record]) -> bool:
    """Whether there are two groups to be told apart."""
    return len(list(_dots(comparison, quality, cost, Unit("")))) > 1


def trade_off_title(quality: Column[Record], cost: Column[Record]) -> str:
    """What the figure shows."""
    return f"{capitalised(in_words(quality))} against {COSTS[cost.name]}"


def draw_trade_off(
    comparison: Comparison,
    looks: Looks,
    quality: Column[Record],
    cost: Column[Record],
    failed: Sequence[Record] = (),
) -> Figure:
    """Draw a point for each group, with bars from the lowest seed to the highest.

    Args:
        cost: one of COSTS.
        failed: runs of the comparison, which a note names.
    """
    what = COSTS[cost.name]
    networks = [group for group in comparison.groups if group.features]
    most = max((value for group in networks for value in group.values(cost)), default=0.0)
    unit = time_unit(what, most) if cost.name == "train_seconds" else Unit(what)
    dots = list(_dots(comparison, quality, cost, unit))
    named, crowd = dots[:MOST_TOLD_APART], dots[MOST_TOLD_APART:]
    guides = guides_of(comparison.baselines, quality)
    x = Scale.of([value for dot in dots for value in dot.costs])
    y = Scale.of([value for dot in dots for value in dot.qualities], list(guides.values()))
    labels = guide_labels(guides, y)
    notes = [
        *on_seeds(
            [len(dot.qualities) for dot in dots],
            "Points: mean over {} seeds. Bars: from the lowest seed to the highest.",
        ),
        *([f"In grey: {len(crowd)} more, which come after these."] if crowd else []),
        *off_the_scale(guides, y, quality),
        *on_failures(failed),
    ]
    wording = Wording(trade_off_title(quality, cost), comparison.title, notes)
    axes = (unit.label, x), (in_words(quality), y)
    sheet = scaled_sheet(wording, *axes, labels)
    places = _beside(sheet, named, crowd, [label.y for label in labels])
    if places:
        _write_names(sheet, named, places)
    else:
        in_column = [
            Label(dot.group.name, dot.middle[1], {**looks.of(dot.group).markers, "linestyle": ""})
            for dot in named
        ]
        sheet = scaled_sheet(wording, *axes, [*in_column, *labels])
    for dot in crowd:
        sheet.axes.plot(*dot.middle, "o", color=CROWD_COLOUR, markersize=3)
    for dot in named:
        look = looks.of(dot.group)
        for xs, ys in dot.bars:
            sheet.axes.plot(xs, ys, color=look.colour, linewidth=0.9, zorder=2)
        sheet.axes.plot(*dot.middle, zorder=3, label=dot.group.name, linestyle="", **look.markers)
        if not places:
            across = [dot.middle[0], sheet.axes.get_xlim()[1]]
            sheet.axes.plot(across, [dot.middle[1]] * 2, zorder=1.7, linestyle=":", **TO_LABEL)
    return sheet.figure


def _dots(
    comparison: Comparison, quality: Column[Record], cost: Column[Record], unit: Unit
) -> Iterator[_Dot]:
    for group in comparison.groups:
        costs = [value / unit.size for value in group.values(cost)]
        qualities = group.values(quality)
        if group.features and costs and qualities and all(map(has_a_place, costs + qualities)):
            yield _Dot(group, costs, qualities)


def _name_of(dot: _Dot) -> Block:
    return block(dot.group.name, NOTE_SIZE, WIDEST_NAME)


def _beside(
    sheet: Sheet, dots: Sequence[_Dot], crowd: Sequence[_Dot], guides: Sequence[float]
) -> list[Box]:
    """Places for the names, each beside its point; none where they would be upon one another."""
    points = [sheet.place(*dot.middle) for dot in (*dots, *crowd)]
    markers = [Box(x - MARKER / 2, y - MARKER / 2, MARKER, MARKER) for x, y in points]
    lines = []
    for dot in dots:
        for xs, ys in dot.bars:
            (left, low), (right, high) = (sheet.place(*end) for end in zip(xs, ys, strict=True))
            lines.append(
                Box(left - THIN, low - THIN, right - left + 2 * THIN, high - low + 2 * THIN)
            )
    for guide in guides:
        _, up = sheet.place(sheet.axes.get_xlim()[0], guide)
        lines.append(Box(0, up - THIN, sheet.width, 2 * THIN))
    sizes = [(name.width + 0.04, name.height) for name in map(_name_of, dots)]
    room = Box(0, 0, sheet.width, sheet.height)
    places = beside(points[: len(dots)], sizes, markers, lines, room)
    return places if are_apart(places, markers) else []


def _write_names(sheet: Sheet, dots: Sequence[_Dot], places: Sequence[Box]) -> None:
    for dot, place in zip(dots, places, strict=True):
        point = sheet.place(*dot.middle)
        nearest = place.nearest(*point)
        if math.dist(nearest, point) > NEAR:
            sheet.line([point, nearest], **TO_LABEL)
        middle = place.x + place.width / 2, place.y + place.height / 2
        sheet.write(_name_of(dot), *middle, "center")
