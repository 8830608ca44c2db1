"""The curves of loss or perplexity of all groups of a comparison, in one plot."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from rnnlm.files.run_files import SCALARS
from rnnlm.plots.bands import Band
from rnnlm.plots.layout import Plot, finish, new_axes, runs_named, seed_note
from rnnlm.plots.scales import set_scale, set_scale_with_guides, with_unit
from rnnlm.plots.style import CROWD, MOST_LOOKS, Looks
from rnnlm.results.columns import COLUMNS
from rnnlm.results.grouping import Comparison, Group
from rnnlm.results.history import COSTS, CurveSplit, Histories, Metric, XAxis, can_be_drawn
from rnnlm.results.record import Record

AGAINST = {
    XAxis.epoch: "epochs",
    XAxis.step: "optimizer steps",
    XAxis.tokens: "training tokens",
    XAxis.seconds: "training time",
}
# A line has about so many markers.
NUM_MARKERS = 7


def draw_curves(
    comparison: Comparison,
    histories: Histories,
    looks: Looks,
    metric: Metric,
    against: XAxis,
    running: bool = False,
    failed: Sequence[Record] = (),
) -> Plot:
    """Draw the mean over the seeds of each group, in a band from the lowest to the highest.

    Args:
        running: add the curve in training, with dropout on, while the weights change.
        failed: failed runs of the comparison, which a note names.
    """
    column = COLUMNS[f"validation_{metric.value}"]
    networks = [group for group in comparison.groups if group.is_trained_network]
    points = [p for g in networks for r in g.records if (h := histories.of(r)) for p in h.points]
    ends = [point.at.get(against, 0.0) for point in points]
    furthest = max([0.0, *filter(can_be_drawn, ends)])
    label, unit = with_unit(AGAINST[against], furthest, is_time=against is XAxis.seconds)

    def band_of(group: Group, measured: CurveSplit) -> Band | None:
        found = filter(None, map(histories.of, group.records))
        seeds = [s for history in found if (s := history.series(metric, measured, against))]
        return Band.of(seeds, unit) if seeds else None

    curves = [
        (group, own, band_of(group, CurveSplit.running) if running else None)
        for group in networks
        if (own := band_of(group, CurveSplit.validation))
    ]
    axes = new_axes(**({} if curves else {"height": 0.5}))
    name = f"curves-{metric.value}-{against.value}"
    title = f"{column.in_words.partition(' (')[0]} against {AGAINST[against]}"
    notes = list(_missing(networks, histories, metric, against))
    if not curves:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "no curve to draw", ha="center", transform=axes.transAxes)
        return finish(axes, name, title, comparison, notes, failed)
    bands = [band for _, *both in curves for band in both if band]
    axes.set_xlim(0, furthest / unit or 1)
    set_scale(axes, "x", axes.get_xlim(), label, whole=against not in COSTS)
    # Baselines, and networks after adaptation, have no curve.
    others = [group for group in comparison.groups if not group.is_trained_network]
    values = [value for band in bands for value in band.values]
    legend, off_scale = set_scale_with_guides(axes, values, others, column)
    told_apart = curves[:MOST_LOOKS]
    for index, (group, band, in_training) in enumerate(told_apart):
        rank = index / len(told_apart)
        line = _draw(axes, group.name, looks[group.name], rank, band, in_training)
        legend[line] = band.last[1]
    for _, band, _ in curves[MOST_LOOKS:]:
        for x, y in ((band.x, band.mean), *band.alone):
            axes.plot(x, y, **CROWD)
    running = any(in_training for *_, in_training in curves)
    notes = [*_how_to_read([band for _, band, _ in curves], running), *off_scale, *notes]
    return finish(axes, name, title, comparison, notes, failed, legend)


def _draw(
    axes: Axes, name: str, look: dict[str, Any], rank: float, band: Band, in_training: Band | None
) -> Line2D:
    """Draw a group's curve; those of a lower rank, from 0 to 1, lie above the others."""
    plain = {"color": look["color"], "linestyle": look["linestyle"]}
    if band.num_seeds > 1:
        colour = {"color": look["color"], "alpha": 0.22, "linewidth": 0}
        axes.fill_between(band.x, band.low, band.high, zorder=1.6, **colour)
    for x, y in band.alone:
        axes.plot(x, y, **plain, linewidth=0.6, zorder=3 - rank)
    if in_training:
        faint = {**plain, "alpha": 0.45, "linewidth": 0.8, "zorder": 1.8}
        axes.plot(in_training.x, in_training.mean, **faint)
    # Lines that run together have their markers at different places.
    stride = max(1, math.ceil(len(band.x) / NUM_MARKERS))
    (line,) = axes.plot(band.x, band.mean, label=name, zorder=3 - rank, **look)
    line.set(markevery=(int(rank * stride), stride), clip_on=False, in_layout=False)
    return line


def _missing(
    groups: Sequence[Group], histories: Histories, metric: Metric, against: XAxis
) -> Iterator[str]:
    """Name the runs whose curve, or a point of it, is missing."""
    missing: dict[str, list[Record]] = {}
    for record in (record for group in groups for record in group.records):
        history = histories.of(record)
        if history is None:
            what = f"Left out, without a curve in {SCALARS}"
        elif not any(against in point.at for point in history.points):
            what = f"Left out, without {COSTS[against]} in {SCALARS}"
        elif not history.is_whole(metric, CurveSplit.validation):
            what = "Points left out as infinite, or nearly so"
        else:
            continue
        missing.setdefault(what, []).append(record)
    for what, records in missing.items():
        yield f"{what}: {runs_named(records)}."


def _how_to_read(bands: Sequence[Band], running: bool) -> Iterator[str]:
    yield seed_note(
        [band.num_seeds for band in bands],
        "Lines: mean over {} seeds. Bands: from the lowest value to the highest.",
    )
    if any(band.num_seeds > 1 and band.alone for band in bands):
        yield "Thin lines: seeds that go on after another has stopped."
    if running:
        yield "Faint lines: the same in training, with dropout on, while the weights change."
    if len(bands) > MOST_LOOKS:
        yield (
            f"In grey: {len(bands) - MOST_LOOKS} more, which are worse than these "
            f"{MOST_LOOKS} by validation bits per character."
        )
