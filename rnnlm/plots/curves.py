"""Loss or perplexity against epochs, steps, tokens or time: all groups of a comparison overlaid."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlm.plots.group_curves import AGAINST, GroupCurve, group_curves, what_is_missing
from rnnlm.plots.guides import guide_labels, guides_of, off_the_scale
from rnnlm.plots.label_column import Label
from rnnlm.plots.notes import capitalised, on_failures, on_seeds
from rnnlm.plots.scale import Scale, in_words
from rnnlm.plots.scaled_sheet import scaled_sheet
from rnnlm.plots.sheet import EDGE, Sheet, Wording
from rnnlm.plots.style import (
    BAND_OPACITY,
    CROWD_COLOUR,
    MOST_TOLD_APART,
    RUNNING_OPACITY,
    TO_LABEL,
    WIDTH,
    Look,
    Looks,
)
from rnnlm.plots.text_block import block, line_height
from rnnlm.results.columns import COLUMNS, Column
from rnnlm.results.grouping import Comparison
from rnnlm.results.history import Against, Histories, Metric
from rnnlm.results.record import Record

# About how many markers a line has.
MARKERS = 7
NOTHING = "no curve to draw"


def curves_title(metric: Metric, against: Against) -> str:
    """What the figure shows."""
    name, _, _ = in_words(_figure(metric)).partition(" (")
    return f"{capitalised(name)} against {AGAINST[against]}"


def draw_curves(
    comparison: Comparison,
    histories: Histories,
    looks: Looks,
    metric: Metric,
    against: Against,
    running: bool = False,
    failed: Sequence[Record] = (),
) -> Figure:
    """Draw the mean over seeds of each group, in a band from the lowest to the highest of them.

    Args:
        running: add the curve in training, with dropout on and the weights moving.
        failed: runs of the comparison, which a note names.
    """
    groups = [group for group in comparison.groups if group.has_epochs]
    curves, unit = group_curves(groups, histories, metric, against, running)
    told_apart, crowd = curves[:MOST_TOLD_APART], curves[MOST_TOLD_APART:]
    figure = _figure(metric)
    # A baseline, or a network measured with help at test time.
    without_epochs = [group for group in comparison.groups if not group.has_epochs]
    guides = guides_of(without_epochs, figure) if curves else {}
    every = [c for curve in curves for c in (curve.validation, curve.running) if c]
    x = Scale.of_progress(
        [value for curve in every for value in curve.every_x],
        whole=against in (Against.epoch, Against.step),
    )
    y = Scale.of([value for curve in every for value in curve.every_y], list(guides.values()))
    notes = [
        *_how_to_read(curves),
        *off_the_scale(guides, y, figure),
        *what_is_missing(groups, histories, metric, against),
        *on_failures(failed),
    ]
    labels = [
        *(Label(c.group.name, c.validation.last[1], looks.of(c.group).line) for c in told_apart),
        *guide_labels(guides, y),
    ]
    wording = Wording(curves_title(metric, against), comparison.title, notes)
    if not curves:
        return _nothing(wording)
    sheet = scaled_sheet(wording, (unit.label, x), (in_words(figure), y), labels)
    for curve in crowd:
        _draw_in_the_crowd(sheet.axes, curve)
    for index, curve in enumerate(told_apart):
        _draw(sheet.axes, curve, looks.of(curve.group), index / len(told_apart))
    return sheet.figure


def _draw(axes: Axes, curve: GroupCurve, look: Look, rank: float) -> None:
    """One group, those of lower rank, from 0 to 1, above the others."""
    seeds, above = curve.validation, 3 - rank
    plain: dict[str, Any] = {"color": look.colour, "linestyle": look.line_style}
    (end, level), (_, edge) = seeds.last, axes.get_xlim()
    axes.plot([end, edge], [level, level], zorder=1.7, linestyle=":", **TO_LABEL)
    if seeds.num_seeds > 1:
        band: dict[str, Any] = {"color": look.colour, "alpha": BAND_OPACITY, "linewidth": 0}
        axes.fill_between(seeds.x, seeds.low, seeds.high, zorder=1.6, **band)
    for x, y in seeds.alone:
        axes.plot(x, y, linewidth=0.6, zorder=above, **plain)
    if curve.running:
        faint = {**plain, "alpha": RUNNING_OPACITY, "linewidth": 0.8}
        axes.plot(curve.running.x, curve.running.mean, zorder=1.8, **faint)
    stride = max(1, math.ceil(len(seeds.x) / MARKERS))
    # Lines that run together have their markers apart.
    marked = {**look.line, "markevery": (int(rank * stride), stride)}
    axes.plot(seeds.x, seeds.mean, zorder=above, clip_on=False, label=curve.group.name, **marked)


def _nothing(wording: Wording) -> Figure:
    """What there would be to see, and the notes that say why there is not."""
    sheet = Sheet(wording, width=WIDTH - 2 * EDGE, height=3 * line_height())
    sheet.axes.set_axis_off()
    sheet.write(block(NOTHING), sheet.width / 2, sheet.height / 2, "center")
    return sheet.figure


def _draw_in_the_crowd(axes: Axes, curve: GroupCurve) -> None:
    seeds = curve.validation
    for x, y in ((seeds.x, seeds.mean), *seeds.alone):
        axes.plot(x, y, color=CROWD_COLOUR, linewidth=0.8, zorder=1.4)


def _figure(metric: Metric) -> Column[Record]:
    return COLUMNS[f"validation_{metric.value}"]


def _how_to_read(curves: Sequence[GroupCurve]) -> Iterator[str]:
    yield from on_seeds(
        [curve.validation.num_seeds for curve in curves],
        "Lines: mean over {} seeds. Bands: from the lowest seed to the highest.",
    )
    if any(curve.validation.num_seeds > 1 and curve.validation.alone for curve in curves):
        yield "Thin lines: seeds that go on after another has stopped."
    if any(curve.running for curve in curves):
        yield "Faint lines: the same in training, with dropout on and the weights moving."
    if len(curves) > MOST_TOLD_APART:
        yield (
            f"In grey: {len(curves) - MOST_TOLD_APART} more, which come after these "
            f"{MOST_TOLD_APART} by validation bits per character."
        )
