"""Tables as CSV and JSON, in full precision."""

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
# A spreadsheet takes text that begins with one of these for a formula, and computes it.
_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(tables: Sequence[Table]) -> str:
    """Return one header and all rows; the title of a table is its first column.

    The column `best` is 1 for a marked row and 0 for others. A value of several parts has a column
    for each part. Text that a spreadsheet would take for a formula gets an apostrophe in front, and
    control characters are spelled out.
    """
    file = io.StringIO()
    titled = any(table.title for table in tables)
    headings = [heading for table in tables for heading in table.headings]
    names = dict.fromkeys(name for h in headings for name in _by_name(h, Value(None, "")))
    writer = csv.DictWriter(file, [*(["table"] if titled else []), *names, MARKED], restval="")
    writer.writerow({name: _entry(name) for name in writer.fieldnames})
    for table in tables:
        for index, row in enumerate(table.rows):
            values: dict[str, Any] = {"table": table.title} if titled else {}
            values |= {MARKED: int(index in table.marked)} | _row(table, row)
            writer.writerow({name: _entry(value) for name, value in values.items()})
    return file.getvalue()


def as_json(tables: Sequence[Table]) -> str:
    """Return a list of tables, each with title, notes and rows; NaN and infinity are strings."""
    described = [
        {
            "title": table.title,
            "notes": table.notes,
            "rows": [
                {name: _json_number(value) for name, value in _row(table, row).items()}
                | {MARKED: index in table.marked}
                for index, row in enumerate(table.rows)
            ],
        }
        for table in tables
    ]
    return escaped_json(json.dumps(described, indent=2, ensure_ascii=False)) + "\n"


def _row(table: Table, row: Sequence[Value]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for heading, value in zip(table.headings, row, strict=True):
        values |= _by_name(heading, value)
    return values


def _by_name(heading: Heading, value: Value) -> dict[str, Any]:
    """A value by the name of its column, or its parts by theirs."""
    if not heading.parts:
        return {heading.name: value.value}
    values = [None] * len(heading.parts) if value.value is None else value.value
    return {f"{heading.name}_{p}": v for p, v in zip(heading.parts, values, strict=True)}


def _entry(value: Any) -> Any:
    """A number as it is, and text so that a spreadsheet takes it for text."""
    if value is None or isinstance(value, int | float):
        return value
    text = str(value)
    is_formula = text.startswith(_BEGINS_FORMULA) and not _is_number(text)
    return escaped(f"'{text}" if is_formula else text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _json_number(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
