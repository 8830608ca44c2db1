"""The grid of models and features with a figure in every cell: the darker, the better."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from matplotlib import colormaps
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rnnlm.plots.guides import guides_of
from rnnlm.plots.notes import capitalised, listed, on_failures, on_seeds
from rnnlm.plots.scale import in_words, spans_much
from rnnlm.plots.sheet import EDGE, GAP, Sheet, Wording
from rnnlm.plots.style import (
    FRAME_COLOUR,
    NOTE_SIZE,
    TEXT_COLOUR,
    WIDTH,
    in_usual_order,
    lightness,
    row_name,
)
from rnnlm.plots.text_block import block
from rnnlm.results.columns import Better, Column
from rnnlm.results.grouping import Comparison
from rnnlm.results.history import has_a_place
from rnnlm.results.record import Record
from rnnlm.results.statistics import Summary

# In inches.
HEIGHT_OF_ONE, HEIGHT_WITH_MARGIN = 0.42, 0.6
WIDEST_CELL, WIDEST_NAME, NARROWEST = 1.5, 2.6, 4.0
VALUE_SIZE = 10.0
# A colour map that gets darker evenly, and what is used of it, from the worst to the best.
COLOURS, WORST, BEST = "Blues", 0.06, 0.95
# In CIE L*: on what is darker, text is white.
WHITE_ON = 52.0
MOST_ROWS = 20
MISSING = "–"

# The summary of each cell by row and column.
Grid = Mapping[tuple[str, str], Summary]


def grid_of(comparison: Comparison, figure: Column[Record]) -> dict[tuple[str, str], Summary]:
    """A figure over the seeds, by model (and what sets it apart) and features, the best first."""
    grid: dict[tuple[str, str], Summary] = {}
    for group in comparison.groups:
        values = group.values(figure)
        if group.features and values:
            row, number = row_name(group), 1
            # Of two versions of this package, the same options may differ in what is known of them.
            while (row, group.features) in grid:
                number += 1
                row = f"{row_name(group)} ({number})"
            grid[row, group.features] = Summary.of(values)
    return grid


def heat_map_title(figure: Column[Record]) -> str:
    """What the figure shows."""
    return f"{capitalised(in_words(figure))} by model and features"


def draw_heat_map(
    comparison: Comparison, figure: Column[Record], failed: Sequence[Record] = ()
) -> Figure:
    """Draw the mean over seeds in every cell, and half the width of its 95 % interval.

    Args:
        figure: of which `grid_of` the comparison has a value, and one value is better than another.
        failed: runs of the comparison, which a note names.
    """
    grid = grid_of(comparison, figure)
    best_first = list(dict.fromkeys(row for row, _ in grid))
    rows = sorted(best_first[:MOST_ROWS], key=in_usual_order)
    grid = {place: summary for place, summary in grid.items() if place[0] in rows}
    columns = sorted({column for _, column in grid})
    several = any(summary.n > 1 for summary in grid.values())
    cell_height = HEIGHT_WITH_MARGIN if several else HEIGHT_OF_ONE
    names = [block(name, width=WIDEST_NAME) for name in rows]
    left = max(name.width for name in names) + GAP
    cell = min(WIDEST_CELL, (WIDTH - 2 * EDGE - left) / len(columns))
    headings = [block(name, width=cell) for name in columns]
    left_out = len(best_first) - len(rows)
    notes = [*_notes(comparison, list(grid.values()), figure, left_out), *on_failures(failed)]
    width = cell * len(columns)
    sheet = Sheet(
        Wording(heat_map_title(figure), comparison.title, notes),
        width=width,
        height=cell_height * len(rows),
        left=left,
        right=max(0.0, NARROWEST - left - width),
        above=max(heading.height for heading in headings),
    )
    axes = sheet.axes
    axes.set(xlim=(0, len(columns)), ylim=(len(rows), 0))
    axes.set_axis_off()
    colours = _colours({place: summary.mean for place, summary in grid.items()}, figure)
    for down, row in enumerate(rows):
        for across, column in enumerate(columns):
            _draw_cell(
                sheet, across, down, grid.get((row, column)), colours.get((row, column)), figure
            )
    for down, name in enumerate(names):
        middle = sheet.height - (down + 0.5) * cell_height
        sheet.write(name, -GAP, middle, "right")
    for across, heading in enumerate(headings):
        sheet.write(heading, (across + 0.5) * cell, sheet.height, "center", above=1)
    return sheet.figure


def _draw_cell(
    sheet: Sheet,
    across: int,
    down: int,
    summary: Summary | None,
    colour: str | None,
    figure: Column[Record],
) -> None:
    colour = colour or "#ffffff"
    sheet.axes.add_patch(
        Rectangle((across, down), 1, 1, facecolor=colour, edgecolor="white", linewidth=1.5)
    )

    middle = sheet.place(across + 0.5, down + 0.5)
    if summary is None:
        sheet.write(block(MISSING, VALUE_SIZE), *middle, "center", colour=FRAME_COLOUR)
        return
    ink = "white" if lightness(colour) < WHITE_ON else TEXT_COLOUR
    mean, margin = shown(summary, figure)
    sheet.write(block(mean, VALUE_SIZE), *middle, "center", 0.9 if margin else 0.5, ink)
    if margin:
        sheet.write(block(f"± {margin}", NOTE_SIZE), *middle, "center", 0, ink)


def shown(summary: Summary, figure: Column[Record]) -> tuple[str, str | None]:
    """The mean as tables have it, and half the interval's width with as many decimals."""
    mean = figure.show(summary.mean)
    if summary.low is None or summary.high is None:
        return mean, None
    half = (summary.high - summary.low) / 2
    percent = mean.endswith("%")
    decimals = len(mean.rstrip("%").partition(".")[2])
    return mean, f"{100 * half if percent else half:,.{decimals}f}{'%' if percent else ''}"


def _colours(
    means: Mapping[tuple[str, str], float], figure: Column[Record]
) -> dict[tuple[str, str], str]:
    """Of each mean that has a place; evenly by value, or by its logarithm where they span much."""
    finite = {place: mean for place, mean in means.items() if has_a_place(mean)}
    if spans_much(finite.values()):
        finite = {place: math.log(mean) for place, mean in finite.items()}
    low, high = min(finite.values(), default=0.0), max(finite.values(), default=0.0)
    colours = colormaps[COLOURS]

    def colour(value: float) -> str:
        share = (value - low) / (high - low) if high > low else 0.5
        goodness = share if figure.better is Better.higher else 1 - share
        return to_hex(colours(WORST + goodness * (BEST - WORST)))

    return {place: colour(value) for place, value in finite.items()}


def _notes(
    comparison: Comparison, summaries: Sequence[Summary], figure: Column[Record], left_out: int
) -> Iterator[str]:
    yield from on_seeds(
        [summary.n for summary in summaries],
        "Mean over {} seeds ± half the width of its 95 % t interval.",
    )
    better = "lower" if figure.better is Better.lower else "higher"
    yield f"The darker, the better; {better} is better."
    if left_out:
        yield f"Left out: {left_out} rows that come after these."
    baselines = guides_of(comparison.baselines, figure)
    if baselines:
        said = [f"{name} {figure.show(value)}" for name, value in baselines.items()]
        yield f"Baselines: {listed(said)}."
