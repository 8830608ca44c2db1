"""A table of results, independent of what its rows are and how it is written."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rnnlm.messages.legible import legible
from rnnlm.results.columns import Better, Column
from rnnlm.results.statistics import Summary

# Beside the best row of each text.
BEST_MARK = "*"
ABSENT = "-"

Row = TypeVar("Row")


@dataclass(frozen=True)
class Heading:
    """A column's name in CSV and JSON, and its heading, with the unit, for people."""

    name: str
    heading: str
    is_text: bool = False
    # The names of a value's parts in CSV and JSON, if it consists of several numbers.
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Value:
    """An entry of a table: in full precision for machines, rounded for people."""

    value: Any
    shown: str
    # True for the best of its column among the rows that compare.
    is_best: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under headings, with a title above and notes below."""

    headings: list[Heading]
    rows: list[list[Value]]
    title: str = ""
    # The indices of the best rows among those that compare.
    marked: frozenset[int] = frozenset()
    notes: list[str] = field(default_factory=list)
    # The columns that a narrow terminal leaves out, in this order.
    least_needed: tuple[str, ...] = ()

    def column(self, name: str) -> list[Value]:
        """Return the values of a column from top to bottom."""
        index = [heading.name for heading in self.headings].index(name)
        return [row[index] for row in self.rows]


def table_of(
    rows: Sequence[Row],
    columns: Sequence[Column[Row]],
    classes: Sequence[Hashable],
    selected_by: Column[Row] | None = None,
    **others: Any,
) -> Table:
    """Return a table in which the best value of each column is marked, and the best row.

    Args:
        classes: for each row the tokens that it was measured on; only equal ones compare.
        selected_by: the column whose best value marks a row.
        others: fields of Table.
    """
    by_column = [_values(column, rows, classes) for column in columns]
    marked: set[int] = set()
    if selected_by is not None:
        values = [_number(selected_by.value(row)) for row in rows]
        marked = _best_of_each_class(values, classes, selected_by.better)
    return Table(
        [Heading(c.name, legible(c.heading), c.is_text, c.parts) for c in columns],
        [list(row) for row in zip(*by_column, strict=True)],
        marked=frozenset(marked),
        **others,
    )


def _values(column: Column[Row], rows: Sequence[Row], classes: Sequence[Hashable]) -> list[Value]:
    values = [column.value(row) for row in rows]
    best = _best_of_each_class([_number(value) for value in values], classes, column.better)
    return [
        Value(
            value.parts if isinstance(value, Summary) else value,
            ABSENT if value is None else legible(column.show(value)),
            index in best,
        )
        for index, value in enumerate(values)
    ]


def _best_of_each_class(
    values: Sequence[float | None], classes: Sequence[Hashable], better: Better | None
) -> set[int]:
    """Return the indices of the best values among those of the same class."""
    if better is None:
        return set()
    by_class: dict[Hashable, list[float]] = {}
    for value, key in zip(values, classes, strict=True):
        if value is not None:
            by_class.setdefault(key, []).append(value)
    best = {key: better.best(members) for key, members in by_class.items()}
    return {
        index
        for index, (value, key) in enumerate(zip(values, classes, strict=True))
        if value is not None and value == best[key]
    }


def sorted_by(rows: Sequence[Row], column: Column[Row], descending: bool) -> list[Row]:
    """Sort rows by a column; those without a value in it come last."""
    have = [row for row in rows if column.value(row) is not None]
    have.sort(key=lambda row: _sort_key(column.value(row)), reverse=descending)
    return have + [row for row in rows if column.value(row) is None]


def _sort_key(value: Any) -> tuple[bool, float, str]:
    """A key for numbers, NaN and text: an option may be a number in some runs, a name in others."""
    value = _number(value)
    if isinstance(value, int | float):
        return (True, 0.0, "") if math.isnan(value) else (False, value, "")
    return True, 0.0, str(value)


def _number(value: Any) -> Any:
    """The mean of a summary, and any other value as it is."""
    return value.mean if isinstance(value, Summary) else value
