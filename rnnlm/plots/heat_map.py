"""The heat map of models and features, with a metric in every square: the darker, the better."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from rnnlm.plots.layout import Plot, finish, in_lines, listed, new_axes, seed_note, text_height
from rnnlm.plots.scales import means_of, spans_much
from rnnlm.plots.style import TEXT_SIZE, WIDTH, in_usual_order, row_name
from rnnlm.results.columns import Better, Column
from rnnlm.results.grouping import Comparison
from rnnlm.results.history import can_be_drawn
from rnnlm.results.record import Record
from rnnlm.results.statistics import Summary

# In inches: the least height of a row, the width of a column, and that of the names of rows.
ROW, COLUMN, NAMES = 0.5, 1.5, 2.5
# A colour map that gets darker evenly, and what is used of it, from the worst to the best.
COLOURS, WORST, BEST = "Blues", 0.06, 0.95
# On darker colours, text is white.
WHITE_FROM = 0.68
MOST_ROWS = 20
# The longest mean that a square shows, in characters.
LONGEST_MEAN = 14


def grid_of(comparison: Comparison, column: Column[Record]) -> dict[tuple[str, str], Summary]:
    """The metric over the seeds, by row (model and options) and features, the best row first."""
    grid: dict[tuple[str, str], Summary] = {}
    for group in comparison.groups:
        values = group.values(column)
        if group.features and values:
            row, number = row_name(group), 1
            # Records of two versions of this package may know different options of the same cell.
            while (row, group.features) in grid:
                number += 1
                row = f"{row_name(group)} ({number})"
            grid[row, group.features] = Summary.of(values)
    return grid


def draw_heat_map(
    comparison: Comparison, column: Column[Record], failed: Sequence[Record] = ()
) -> Plot | None:
    """Draw the mean of a metric in every square, with half the width of its 95 % interval.

    Return None if there are fewer than two squares to compare.
    """
    grid = grid_of(comparison, column)
    if len(grid) < 2:
        return None
    best_first = list(dict.fromkeys(row for row, _ in grid))
    rows = sorted(best_first[:MOST_ROWS], key=in_usual_order)
    grid = {place: summary for place, summary in grid.items() if place[0] in rows}
    features = sorted({name for _, name in grid})
    names = [in_lines(row) for row in rows]
    row_height = max(ROW, *(text_height(name, TEXT_SIZE) + 0.1 for name in names))
    axes = new_axes(min(WIDTH, NAMES + COLUMN * len(features)), row_height * len(rows))
    goodness = _goodness({place: summary.mean for place, summary in grid.items()}, column)
    shades = [[goodness.get((row, name), math.nan) for name in features] for row in rows]
    cells = axes.pcolormesh(np.ma.masked_invalid(shades), cmap=COLOURS, vmin=0, vmax=1)
    cells.set(edgecolor="white", linewidth=1.5)
    axes.invert_yaxis()
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(labeltop=True, labelbottom=False)
    axes.set_xticks(np.arange(len(features)) + 0.5, map(in_lines, features))
    axes.set_yticks(np.arange(len(rows)) + 0.5, names)
    for (down, row), (across, name) in product(enumerate(rows), enumerate(features)):
        summary = grid.get((row, name))
        colour = "white" if goodness.get((row, name), 0) > WHITE_FROM else "black"
        text = shown(summary, column) if summary else "–"
        axes.text(across + 0.5, down + 0.5, text, ha="center", va="center", color=colour)
    means = means_of(comparison.baselines, column)
    baselines = listed([f"{name} {column.show(value)}" for name, value in means.items()])
    left_out = len(best_first) - len(rows)
    notes = [
        seed_note(
            [summary.n for summary in grid.values()],
            "Mean over {} seeds ± half the width of its 95 % t interval.",
        ),
        f"The darker, the better; {column.better.value if column.better else ''} is better.",
        *([f"Left out: {left_out} rows that are worse on validation."] if left_out else []),
        *([f"Baselines: {baselines}."] if baselines else []),
    ]
    title = f"{column.in_words} by model and features"
    return finish(axes, f"grid-{column.name}", title, comparison, notes, failed)


def shown(summary: Summary, column: Column[Record]) -> str:
    """The mean, and half the width of its interval below it."""
    mean = column.show(summary.mean)
    if len(mean) > LONGEST_MEAN:
        return f"{summary.mean:.4g}"
    if summary.margin is None:
        return mean
    return f"{mean}\n± {column.show_margin(summary.margin, summary.mean)}"


def _goodness(
    means: Mapping[tuple[str, str], float], column: Column[Record]
) -> dict[tuple[str, str], float]:
    """The place of each finite mean in the colour map, by its logarithm if they span much."""
    finite = {place: mean for place, mean in means.items() if can_be_drawn(mean)}
    if spans_much(finite.values()):
        finite = {place: math.log(mean) for place, mean in finite.items()}
    ends = min(finite.values(), default=0.0), max(finite.values(), default=0.0)
    worst, best = ends if column.better is Better.higher else reversed(ends)
    return {
        place: WORST + (BEST - WORST) * ((mean - worst) / (best - worst) if best != worst else 0.5)
        for place, mean in finite.items()
    }
