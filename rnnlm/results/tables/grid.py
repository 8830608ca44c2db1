"""The grid: a metric of every model (rows) with each kind of features (columns)."""

from __future__ import annotations

from collections.abc import Sequence

from rnnlm.messages.legible import escaped, legible
from rnnlm.results.columns import Column
from rnnlm.results.grouping import Comparison, Group
from rnnlm.results.phrases import span
from rnnlm.results.record import Record
from rnnlm.results.tables.group_table import METHOD, PARTS, shown_summary, summary
from rnnlm.results.tables.table import ABSENT, Heading, Table, Value

# The usual order of the cells; other models follow by name.
USUAL_ORDER = ("rnn", "lstm", "gru")
# The column of baselines.
NO_FEATURES = "no features"


def grid_tables(comparison: Comparison, metric: Column[Record]) -> list[Table]:
    """Return the grids of a comparison, one for each combination of other options.

    Args:
        metric: the metric whose mean over the seeds is shown.
    """
    return [
        _grid(comparison, groups, options, metric)
        for options, groups in _by_options(comparison).items()
    ]


def _by_options(comparison: Comparison) -> dict[str, list[Group]]:
    """The groups of each grid by the options that distinguish it.

    A model that was run with one set of options only, such as a baseline, is in every grid whose
    options do not contradict its own.
    """
    found = {group.options: group.apart for group in comparison.groups if group.apart}
    grids: dict[str, list[Group]] = {}
    for options, apart in found.items():
        exact = [group for group in comparison.groups if group.options == options]
        cells = {group.records[0].model_and_features for group in exact}
        grids[options] = exact + [
            group
            for group in comparison.groups
            if not group.apart
            and group.records[0].model_and_features not in cells
            and group.agrees(apart)
        ]
    placed = {id(group) for groups in grids.values() for group in groups}
    rest = [group for group in comparison.groups if id(group) not in placed]
    return grids | ({"": rest} if rest else {})


def _grid(
    comparison: Comparison, groups: Sequence[Group], options: str, metric: Column[Record]
) -> Table:
    models = sorted({group.model for group in groups}, key=usual_order)
    features = sorted({group.features or "" for group in groups}, key=lambda name: name or "~")
    summaries = {(g.model, g.features or ""): summary(g, metric) for g in groups}
    means = [s.mean for s in summaries.values() if s is not None]
    best = metric.better.best(means) if metric.better and means else None

    def value(model: str, kind: str) -> Value:
        s = summaries.get((model, kind))
        if s is None:
            return Value(None, ABSENT)
        return Value(s.parts, shown_summary(s, metric), s.mean == best)

    title = [metric.heading, escaped(comparison.title), legible(options)]
    seeds = [group.num_seeds for group in groups if group.features] or [1]
    return Table(
        [Heading("model", "model", is_text=True)]
        + [Heading(name or "none", legible(name or NO_FEATURES), parts=PARTS) for name in features],
        [
            [Value(model, legible(model)), *(value(model, kind) for kind in features)]
            for model in models
        ],
        title=" · ".join(filter(None, title)),
        notes=[f"{METHOD}: n = {span(min(seeds), max(seeds))}"],
    )


def usual_order(model: str) -> tuple[int, str]:
    """A sort key for the names of models: the usual order, and then the alphabet."""
    return (USUAL_ORDER.index(model) if model in USUAL_ORDER else len(USUAL_ORDER), model)
