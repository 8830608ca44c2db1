"""The table of groups: mean, standard deviation and 95 % interval over the seeds of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from rnnlm.results.columns import SELECTED_BY, Column, column_named
from rnnlm.results.grouping import Comparison, Group, measured_on
from rnnlm.results.record import Record
from rnnlm.results.statistics import Summary
from rnnlm.results.tables.run_table import chosen, notes_on, usual_columns
from rnnlm.results.tables.table import Table, sorted_by, table_of

# The columns of the table unless others are asked for.
USUAL = (
    "data", "source", "model", "features", "options", "n", "num_parameters",
    "train_ppl", "validation_ppl", "test_ppl", "test_bpc", "exact_match", "device", "runs_per_gpu",
    "train_seconds",
)  # fmt: skip
# The columns that a narrow terminal leaves out, in this order.
LEAST_NEEDED = (
    "train_seconds", "runs_per_gpu", "device", "source", "num_parameters", "train_ppl", "test_bpc",
    "data",
)  # fmt: skip
METHOD = "mean ± half of its 95 % interval (t), in brackets the standard deviation, over n seeds"
# The parts of a summary in CSV and JSON.
PARTS = ("mean", "std", "low", "high")


def groups_table(
    comparisons: Sequence[Comparison],
    failed: Sequence[Record] = (),
    columns: Sequence[str] | None = None,
    sort: str | None = None,
    descending: bool = False,
    usual: Sequence[str] = USUAL,
) -> Table:
    """Return a table with a row for each group.

    Args:
        failed: runs that a note names.
        columns: names of columns and options, instead of the usual ones; `n` is the number of
            seeds.
        sort: the column to sort by, in ascending order unless `descending`.
        usual: the columns if no others are given, except those without a value.

    Raises:
        NoSuchColumnError: there is no such column.
    """
    rows = [group for comparison in comparisons for group in comparison.groups]
    records = [*(record for group in rows for record in group.records), *failed]

    def column(name: str) -> Column[Group]:
        return _column(name, records)

    if sort is not None:
        rows = sorted_by(rows, column(sort), descending)
    return table_of(
        rows,
        chosen(columns, usual_columns(usual, records), column, rows),
        [measured_on(group.records[0]) for group in rows],
        column(SELECTED_BY.name),
        notes=[*([METHOD] if rows else []), *notes_on(records)],
        least_needed=LEAST_NEEDED,
    )


def summary(group: Group, metric: Column[Record]) -> Summary | None:
    """Return the summary of a metric over a group's seeds, if all of them have it.

    Some seeds may lack a metric, such as that of an epoch after they stopped. A mean of the others
    alone would be biased.
    """
    values = group.values(metric)
    return Summary.of(values) if len(values) == group.num_seeds else None


def shown_summary(summary: Summary, metric: Column[Any]) -> str:
    """Format a summary, such as `4.749 ± 0.021 (0.017)`, and that of a cost by its mean alone."""
    mean = metric.show(summary.mean)
    if summary.margin is None or summary.std is None or not metric.better:
        return mean
    margin, std = (metric.show_margin(m, summary.mean) for m in (summary.margin, summary.std))
    return f"{mean} ± {margin} ({std})"


def _column(name: str, records: Sequence[Record]) -> Column[Group]:
    """The summary of what is measured, and the common value of anything else."""
    if name == "n":
        return Column(name, name, lambda group: group.num_seeds)
    if name == "options":
        return Column(name, name, lambda group: group.options or None, is_text=True)
    column = column_named(name, records)
    if not column.is_measured:
        return _replaced(column, value=lambda group: _common(column, group))
    return _replaced(
        column,
        value=lambda group: summary(group, column),
        show=lambda summary: shown_summary(summary, column),
        parts=PARTS,
    )


def _common(column: Column[Record], group: Group) -> Any:
    """The value that all runs of a group have, None if they differ."""
    first, *others = [column.value(record) for record in group.records]
    return first if all(value == first for value in others) else None


def _replaced(column: Column[Record], **changes: Any) -> Column[Group]:
    changed: Column[Any] = dataclasses.replace(column, **changes)
    return changed
