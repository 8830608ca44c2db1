"""All figures of some runs: of each comparison its curves, its grid and its trade-offs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from matplotlib.figure import Figure

from rnnlm.plots.curves import curves_title, draw_curves
from rnnlm.plots.heat_map import draw_heat_map, grid_of, heat_map_title
from rnnlm.plots.lettering import printable
from rnnlm.plots.style import Looks, drawing
from rnnlm.plots.trade_offs import COSTS, draw_trade_off, has_trade_off, trade_off_title
from rnnlm.results.columns import COLUMNS, Column
from rnnlm.results.grouping import Comparison, comparisons, measured_on
from rnnlm.results.history import Against, Histories, Metric, ScalarsError
from rnnlm.results.record import FAILED, Record

# What the grid and the trade-offs may show, by the column's name, and what they show if not told.
QUALITIES = {name: column for name, column in COLUMNS.items() if column.better}
QUALITY = QUALITIES["test_ppl"]
# Of a part of a file's name, in characters.
LONGEST_NAME = 60


@dataclass(frozen=True)
class Plot:
    """A figure, the name of its files, and what it shows in words."""

    name: str
    title: str
    figure: Figure


def figures(
    runs: Sequence[tuple[Path, Record]],
    x: Sequence[Against] = tuple(Against),
    y: Sequence[Metric] = tuple(Metric),
    quality: Column[Record] = QUALITY,
    running: bool = False,
) -> tuple[list[Plot], list[ScalarsError]]:
    """Draw all figures of the runs, and name the scalars that cannot be read.

    A comparison without networks has none, and one of a single group neither grid nor trade-offs.

    Args:
        runs: folders and records, as `find_records` gives them.
        x: what curves are drawn against.
        y: what they show.
        quality: what the grid and the trade-offs show, one of QUALITIES.
        running: add to the validation curves those in training.
    """
    histories = Histories(runs)
    records = [record for _, record in runs]
    found = comparisons(records)
    looks = Looks([group for comparison in found for group in comparison.groups])
    plots = []
    with drawing():
        for comparison, prefix in zip(found, _prefixes(found), strict=True):
            failed = [record for record in records if _has_failed_in(comparison, record)]
            drawn = [
                *_curves(comparison, histories, looks, x, y, running, failed),
                *_heat_maps(comparison, quality, failed),
                *_trade_offs(comparison, looks, quality, failed),
            ]
            plots += [
                Plot(f"{prefix}-{name}", printable(f"{title}. {comparison.title}"), figure)
                for name, title, figure in drawn
            ]
    return plots, histories.broken


# What is drawn of a comparison: the end of a figure's name, its title, and the figure.
_Drawn = Iterator[tuple[str, str, Figure]]


def _curves(
    comparison: Comparison,
    histories: Histories,
    looks: Looks,
    x: Sequence[Against],
    y: Sequence[Metric],
    running: bool,
    failed: Sequence[Record],
) -> _Drawn:
    if any(group.has_epochs for group in comparison.groups):
        for metric, against in product(y, x):
            yield (
                f"curves-{metric.value}-{against.value}",
                curves_title(metric, against),
                draw_curves(comparison, histories, looks, metric, against, running, failed),
            )


def _heat_maps(comparison: Comparison, quality: Column[Record], failed: Sequence[Record]) -> _Drawn:
    # Where there are tasks, how many are answered is what one wants to know.
    for figure in dict.fromkeys((quality, COLUMNS["exact_match"])):
        if len(grid_of(comparison, figure)) > 1:
            yield (
                f"grid-{figure.name}",
                heat_map_title(figure),
                draw_heat_map(comparison, figure, failed),
            )


def _trade_offs(
    comparison: Comparison, looks: Looks, quality: Column[Record], failed: Sequence[Record]
) -> _Drawn:
    for cost in (COLUMNS[name] for name in COSTS):
        if has_trade_off(comparison, quality, cost):
            yield (
                f"{quality.name}-{cost.name}",
                trade_off_title(quality, cost),
                draw_trade_off(comparison, looks, quality, cost, failed),
            )


def _has_failed_in(comparison: Comparison, record: Record) -> bool:
    """Whether a run has failed that would have been measured on the same tokens."""
    of_it = comparison.records[0]
    if record.held_out_sha256:
        same = measured_on(record) == measured_on(of_it)
    else:
        # Of earlier versions no more is known.
        same = (record.data, record.text_sha256) == (of_it.data, of_it.text_sha256)
    return record.status == FAILED and same


def _prefixes(found: Sequence[Comparison]) -> list[str]:
    """A name for each, fit for a file and no other's: the corpus, and its text where need be."""
    firsts = [comparison.records[0] for comparison in found]
    names = [_safe(record.data) for record in firsts]
    more: list[Callable[[int], str]] = [
        lambda index: firsts[index].text_sha256[:8],
        lambda index: (firsts[index].held_out_sha256 or "")[:8],
        lambda index: str(index + 1),
    ]
    for part in more:
        times = Counter(name.casefold() for name in names)
        names = [
            f"{name}-{_safe(part(index))}" if times[name.casefold()] > 1 else name
            for index, name in enumerate(names)
        ]
    return names


def _safe(text: str) -> str:
    """Letters, digits and underscores, of any script."""
    return re.sub(r"\W+", "_", text)[:LONGEST_NAME] or "_"
