"""The grid: a figure of every model (rows) and features (columns), one table for each text."""

from __future__ import annotations

from collections.abc import Sequence

from rnnlm.messages.legible import escaped, legible
from rnnlm.results.columns import Column
from rnnlm.results.grouping import Comparison, Group, comparisons
from rnnlm.results.record import Record
from rnnlm.results.tables.groups import METHOD, PARTS, shown_summary, summary
from rnnlm.results.tables.table import ABSENT, Heading, Table, Value, best_of_each_text

# The cells in the order of what they can remember; what else there is follows by name.
USUAL_ORDER = ("rnn", "lstm", "gru")
# The column of what is given no features.
NO_FEATURES = "no features"


def grid_tables(records: Sequence[Record], figure: Column[Record]) -> list[Table]:
    """The grids of the completed runs, by text; and by options, where those differ.

    Args:
        figure: what stands in them, the mean over the seeds.
    """
    return [
        _grid(comparison, groups, options, figure)
        for comparison in comparisons(records)
        for options, groups in _variants(comparison).items()
    ]


def _variants(comparison: Comparison) -> dict[str, list[Group]]:
    """The options in which groups of the same cell differ, with the groups of each grid.

    What has only one variant, a baseline above all, stands in every grid that its options agree
    with.
    """
    found = {group.options: group.apart for group in comparison.groups if group.apart}
    variants: dict[str, list[Group]] = {}
    for options, apart in found.items():
        exact = [group for group in comparison.groups if group.options == options]
        cells = {group.records[0].cell for group in exact}
        variants[options] = exact + [
            group
            for group in comparison.groups
            if not group.apart and group.records[0].cell not in cells and group.agrees(apart)
        ]
    placed = {id(group) for groups in variants.values() for group in groups}
    rest = [group for group in comparison.groups if id(group) not in placed]
    return variants | ({"": rest} if rest else {})


def _grid(
    comparison: Comparison, groups: Sequence[Group], options: str, figure: Column[Record]
) -> Table:
    models = sorted({group.model for group in groups}, key=_place)
    features = sorted({group.features or "" for group in groups}, key=lambda name: name or "~")
    by_cell = {(group.model, group.features or ""): group for group in groups}
    rows = [[by_cell.get((model, kind)) for kind in features] for model in models]
    summaries = [summary(group, figure) if group else None for row in rows for group in row]
    means = [None if s is None else s.mean for s in summaries]
    best = best_of_each_text(means, [""] * len(means), figure.better)
    values = [
        Value(
            None if s is None else (s.mean, s.std, s.low, s.high),
            ABSENT if s is None else shown_summary(s, figure),
            index in best,
        )
        for index, s in enumerate(summaries)
    ]
    width = len(features)
    return Table(
        [Heading("model", "model", is_text=True)]
        + [Heading(name or "none", legible(name or NO_FEATURES), parts=PARTS) for name in features],
        [
            [Value(model, legible(model)), *values[index * width : (index + 1) * width]]
            for index, model in enumerate(models)
        ],
        title=" · ".join(
            filter(None, [figure.heading, escaped(comparison.title), legible(options)])
        ),
        notes=[f"{METHOD}: {_seeds(groups)}"],
    )


def _place(model: str) -> tuple[int, str]:
    return (USUAL_ORDER.index(model) if model in USUAL_ORDER else len(USUAL_ORDER), model)


def _seeds(groups: Sequence[Group]) -> str:
    """How many runs the means are of."""
    numbers = sorted({group.num_seeds for group in groups if group.features})
    return "n = " + (
        " to ".join(map(str, dict.fromkeys((numbers[0], numbers[-1])))) if numbers else "1"
    )
