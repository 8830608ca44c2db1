"""Tables for machines, in full precision: CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import Any

from rnnlm.results.table import Heading, Table, Value

MARKED = "best"


def as_csv(tables: Sequence[Table]) -> str:
    """One header and all rows; a table with a title has it in a first column.

    `best` is 1 for the best of its text. What has several parts has a column for each.
    """
    file = io.StringIO()
    titled = any(table.title for table in tables)
    names = list(dict.fromkeys(name for table in tables for name in _machine_names(table)))
    writer = csv.DictWriter(file, ["table"] * titled + names + [MARKED], restval="")
    writer.writeheader()
    for table in tables:
        for index, row in enumerate(table.rows):
            values: dict[str, Any] = {"table": table.title} if titled else {}
            values[MARKED] = int(index in table.marked)
            for heading, value in zip(table.headings, row, strict=True):
                values |= _machine_values(heading, value)
            writer.writerow(values)
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
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def _machine_names(table: Table) -> list[str]:
    return [name for h in table.headings for name in _machine_values(h, Value(None, ""))]


def _machine_values(heading: Heading, value: Value) -> dict[str, Any]:
    """A value under the names that machines know it by."""
    if not heading.parts:
        return {heading.name: value.value}
    values = [None] * len(heading.parts) if value.value is None else value.value
    return {f"{heading.name}_{p}": v for p, v in zip(heading.parts, values, strict=True)}


def _json_number(value: Any) -> Any:
    """JSON has no infinity."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
