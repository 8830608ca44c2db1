"""All plots of some runs: curves, heat maps and trade-offs of each comparison."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

from rnnlm.plots.curves import draw_curves
from rnnlm.plots.heat_map import draw_heat_map
from rnnlm.plots.layout import Plot
from rnnlm.plots.style import drawing, looks_of
from rnnlm.plots.trade_offs import COSTS, draw_trade_off
from rnnlm.results.columns import COLUMNS, Column
from rnnlm.results.grouping import Comparison, measured_on
from rnnlm.results.history import Histories, Metric, ScalarsError, XAxis
from rnnlm.results.record import FAILED, Record


def draw_all(
    runs: Sequence[tuple[Path, Record]],
    found: Sequence[Comparison],
    x: Sequence[XAxis] = tuple(XAxis),
    y: Sequence[Metric] = tuple(Metric),
    column: Column[Record] = COLUMNS["test_ppl"],
    running: bool = False,
) -> tuple[list[Plot], list[ScalarsError]]:
    """Draw all plots of the runs.

    A comparison without networks has none; one of a single group has curves only.

    Args:
        runs: folders and records, as `find_records` returns them.
        found: the comparisons of the runs.
        x: what curves are drawn against.
        y: what curves show.
        column: the metric of heat maps and trade-offs, of which one value is better than another.
        running: add the curves in training to those on validation.

    Returns:
        The plots, and the errors of the curves that cannot be read.
    """
    histories = Histories(runs)
    looks = looks_of([group for comparison in found for group in comparison.groups])
    # Tasks are about the share of right answers.
    metrics = dict.fromkeys((column, COLUMNS["exact_match"]))

    def plots_of(comparison: Comparison) -> Iterator[Plot | None]:
        failed = [record for _, record in runs if _has_failed_in(comparison, record)]
        if any(group.is_trained_network for group in comparison.groups):
            for metric, against in product(y, x):
                yield draw_curves(comparison, histories, looks, metric, against, running, failed)
        for metric_column in metrics:
            yield draw_heat_map(comparison, metric_column, failed)
        for cost in COSTS:
            yield draw_trade_off(comparison, looks, column, cost, failed)

    with drawing():
        plots = [
            replace(plot, name=f"{prefix}-{plot.name}")
            for comparison, prefix in zip(found, file_prefixes(found), strict=True)
            for plot in plots_of(comparison)
            if plot
        ]
    return plots, histories.broken


def _has_failed_in(comparison: Comparison, record: Record) -> bool:
    """Tell whether a run failed that would have been measured on the same tokens."""
    completed = comparison.records[0]
    if record.held_out_sha256:
        same = measured_on(record) == measured_on(completed)
    else:
        # Earlier versions did not record what a failed run would have been measured on.
        same = (record.data, record.text_sha256) == (completed.data, completed.text_sha256)
    return record.status == FAILED and same


def file_prefixes(found: Sequence[Comparison]) -> list[str]:
    """A distinct beginning of file names for each comparison: the corpus, and hashes if needed."""
    firsts = enumerate((comparison.records[0] for comparison in found), start=1)
    parts = [
        (record.data, record.text_sha256[:8], (record.held_out_sha256 or "")[:8], str(number))
        for number, record in firsts
    ]
    names = [["-".join(map(_safe, own[:length])) for length in (1, 2, 3, 4)] for own in parts]
    times = Counter(name.casefold() for own in names for name in own)
    return [next(name for name in own if times[name.casefold()] == 1) for own in names]


def _safe(text: str) -> str:
    """Reduce a text to at most 60 letters, digits and underscores, of any script."""
    return re.sub(r"\W+", "_", text)[:60] or "_"
