"""What a table is, whatever its rows are and however it is written."""

from __future__ import annotations

import dataclasses
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
    """A column's name for machines, and its heading, with the unit, for people."""

    name: str
    heading: str
    is_text: bool = False
    # What a value consists of, for machines, if of more than one number.
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Value:
    """What stands in a place of a table: in full for machines, in sensible digits for people."""

    value: Any
    shown: str
    # Whether it is the best of its column among the rows that compare.
    is_best: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under headings, and what has to be said beside them."""

    headings: list[Heading]
    rows: list[list[Value]]
    title: str = ""
    # The rows that are the best of what they compare with.
    marked: frozenset[int] = frozenset()
    notes: list[str] = field(default_factory=list)
    # Columns that a narrow terminal is spared, first to go first.
    least_needed: tuple[str, ...] = ()

    def column(self, name: str) -> list[Value]:
        """The values of a column from top to bottom."""
        index = [heading.name for heading in self.headings].index(name)
        return [row[index] for row in self.rows]


def heading_of(column: Column[Any]) -> Heading:
    """A column's heading."""
    return Heading(column.name, legible(column.heading), column.is_text, column.parts)


def values_of(column: Column[Row], rows: Sequence[Row], texts: Sequence[Hashable]) -> list[Value]:
    """A column from top to bottom, the best of each text marked as such.

    Args:
        texts: of each row what it was measured on; only rows of the same compare.
    """
    values = [column.value(row) for row in rows]
    best = best_of_each_text([number(value) for value in values], texts, column.better)
    return [
        Value(
            dataclasses.astuple(value)[1:] if isinstance(value, Summary) else value,
            ABSENT if value is None else legible(column.show(value)),
            index in best,
        )
        for index, value in enumerate(values)
    ]


def best_of_each_text(
    values: Sequence[float | None], texts: Sequence[Hashable], better: Better | None
) -> set[int]:
    """Where the best values stand, among those that were measured on the same tokens."""
    if better is None:
        return set()
    by_text: dict[Hashable, list[float]] = {}
    for value, text in zip(values, texts, strict=True):
        if value is not None:
            by_text.setdefault(text, []).append(value)
    best = {text: better.best(of_text) for text, of_text in by_text.items()}
    return {
        index
        for index, (value, text) in enumerate(zip(values, texts, strict=True))
        if value is not None and value == best[text]
    }


def sorted_by(rows: Sequence[Row], column: Column[Row], descending: bool) -> list[Row]:
    """Rows in the order of a column; those that have nothing in it are last."""
    have = [row for row in rows if column.value(row) is not None]
    have.sort(key=lambda row: _place(column.value(row)), reverse=descending)
    return have + [row for row in rows if column.value(row) is None]


def _place(value: Any) -> tuple[bool, float, str]:
    """A key to sort values by: an option may be a number in some runs and a name in others."""
    value = number(value)
    if isinstance(value, int | float):
        return (True, 0.0, "") if math.isnan(value) else (False, value, "")
    return True, 0.0, str(value)


def number(value: Any) -> Any:
    """What a value is compared by: a summary by its mean."""
    return value.mean if isinstance(value, Summary) else value
