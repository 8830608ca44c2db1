"""Tables for machines, in full precision: CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import Any

from rnnlm.messages.legible import escaped, escaped_json
from rnnlm.results.tables.table import Heading, Table, Value

MARKED = "best"
# Spreadsheets take a cell that begins with one of these for a formula, and compute it.
_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(tables: Sequence[Table]) -> str:
    """One header and all rows; a table with a title has it in a first column.

    `best` is 1 for the best of its text. What has several parts has a column for each. Names and
    other texts that a spreadsheet would take for a formula begin with an apostrophe, and control
    characters are spelled out.
    """
    file = io.StringIO()
    titled = any(table.title for table in tables)
    names = list(dict.fromkeys(name for table in tables for name in _machine_names(table)))
    writer = csv.DictWriter(file, ["table"] * titled + names + [MARKED], restval="")
    writer.writerow({name: _cell(name) for name in writer.fieldnames})
    for table in tables:
        for index, row in enumerate(table.rows):
            values: dict[str, Any] = {"table": table.title} if titled else {}
            values[MARKED] = int(index in table.marked)
            for heading, value in zip(table.headings, row, strict=True):
                values |= _machine_values(heading, value)
            writer.writerow({name: _cell(content) for name, content in values.items()})
    return file.getvalue()


def as_json(tables: Sequence[Table]) -> str:
    """A list of tables, each with its title, notes and rows; what is not finite is a string."""
    described = [
        {
            "title": table.title,
            "notes": table.notes,
            "rows": [
                {
                    **{
                        name: _json_number(v)
                        for heading, value in zip(table.headings, row, strict=True)
                        for name, v in _machine_values(heading, value).items()
                    },
                    MARKED: index in table.marked,
                }
                for index, row in enumerate(table.rows)
            ],
        }
        for table in tables
    ]
    return escaped_json(json.dumps(described, indent=2, ensure_ascii=False)) + "\n"


def _machine_names(table: Table) -> list[str]:
    return [name for h in table.headings for name in _machine_values(h, Value(None, ""))]


def _machine_values(heading: Heading, value: Value) -> dict[str, Any]:
    """A value under the names that machines know it by."""
    if not heading.parts:
        return {heading.name: value.value}
    values = [None] * len(heading.parts) if value.value is None else value.value
    return {f"{heading.name}_{p}": v for p, v in zip(heading.parts, values, strict=True)}


def _cell(content: Any) -> Any:
    """The content of a cell: a number as it is, a text so that it is nothing but text."""
    if content is None or isinstance(content, int | float):
        return content
    text = str(content)
    is_formula = text.startswith(_BEGINS_FORMULA) and not _is_number(text)
    return escaped(f"'{text}" if is_formula else text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _json_number(value: Any) -> Any:
    """JSON has no infinity."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
