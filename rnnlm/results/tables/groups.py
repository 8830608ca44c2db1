"""The table of groups: seeds as mean, standard deviation and a 95 % interval, with their number."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from rnnlm.results.columns import SELECTED_BY, Column, column_named
from rnnlm.results.grouping import Group, comparisons, measured_on
from rnnlm.results.record import Record
from rnnlm.results.statistics import Summary
from rnnlm.results.tables.runs import usual_columns, what_to_know
from rnnlm.results.tables.table import (
    Table,
    best_of_each_text,
    heading_of,
    number,
    sorted_by,
    values_of,
)

# What a table of groups has unless other columns are asked for.
USUAL = (
    *("data", "source", "model", "features", "options", "n", "num_parameters"),
    *("train_ppl", "validation_ppl", "test_ppl", "test_bpc", "exact_match", "train_seconds"),
)
# Columns that stand only where a group has something to say in them.
SOMETIMES = ("options", "exact_match")
LEAST_NEEDED = ("train_seconds", "source", "num_parameters", "train_ppl", "test_bpc", "data")
METHOD = "mean ± half of its 95 % interval (t), in brackets the standard deviation, over n seeds"
# What a figure is for machines.
PARTS = ("mean", "std", "low", "high")


def groups_table(
    records: Sequence[Record],
    columns: Sequence[str] | None = None,
    sort: str | None = None,
    descending: bool = False,
) -> Table:
    """A row for each group of completed runs that differ in nothing but their seed.

    Args:
        columns: their names, instead of the usual ones; `n` is the number of seeds.
        sort: the name of a column to sort by, the smallest first unless `descending`.

    Raises:
        NoSuchColumnError: a column or the one to sort by is none.
    """
    rows = [group for comparison in comparisons(records) for group in comparison.groups]
    if sort is not None:
        rows = sorted_by(rows, _column(sort, records), descending)
    chosen = [_column(name, records) for name in columns or usual_columns(USUAL, records)]
    if columns is None:
        chosen = [c for c in chosen if c.name not in SOMETIMES or any(map(c.value, rows))]
    texts = [measured_on(group.records[0]) for group in rows]
    by_column = [values_of(column, rows, texts) for column in chosen]
    selected_by = _column(SELECTED_BY.name, records)
    marked = best_of_each_text(
        [number(selected_by.value(group)) for group in rows], texts, selected_by.better
    )
    return Table(
        [heading_of(column) for column in chosen],
        [list(row) for row in zip(*by_column, strict=True)],
        marked=frozenset(marked),
        notes=[*([METHOD] if rows else []), *what_to_know(records)],
        least_needed=LEAST_NEEDED,
    )


def summary(group: Group, figure: Column[Record]) -> Summary | None:
    """A figure over the seeds of a group, if all of them have it.

    Of some only, such as of an epoch that others never came to, it would be of those that did well.
    """
    values = group.values(figure)
    return Summary.of(values) if len(values) == group.num_seeds else None


def shown_summary(summary: Summary, figure: Column[Any]) -> str:
    """Such as `4.749 ± 0.021 (0.017)`, all with the mean's decimals; of costs the mean alone."""
    mean = figure.show(summary.mean)
    if summary.margin is None or summary.std is None or not figure.better:
        return mean
    margin, std = (figure.show_margin(m, summary.mean) for m in (summary.margin, summary.std))
    return f"{mean} ± {margin} ({std})"


def _column(name: str, records: Sequence[Record]) -> Column[Group]:
    """Of a figure its summary, of all else what the runs of a group share, if they do."""
    if name == "n":
        return Column(name, name, lambda group: group.num_seeds)
    if name == "options":
        return Column(name, name, lambda group: group.options or None, is_text=True)
    column = column_named(name, records)
    if not column.is_measured:
        return _replaced(column, value=lambda group: _shared(column, group))
    return _replaced(
        column,
        value=lambda group: summary(group, column),
        show=lambda summary: shown_summary(summary, column),
        parts=PARTS,
    )


def _shared(column: Column[Record], group: Group) -> Any:
    """What all runs of a group have; None where they differ."""
    first, *others = [column.value(record) for record in group.records]
    return first if all(value == first for value in others) else None


def _replaced(column: Column[Record], **changes: Any) -> Column[Group]:
    changed: Column[Any] = dataclasses.replace(column, **changes)
    return changed
