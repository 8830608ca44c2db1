"""Tables in Markdown, as GitHub shows it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rnnlm.results.tables.table import Table


def as_markdown(tables: Sequence[Table]) -> str:
    """One after the other, the best of each column in bold."""
    return "\n".join(map(_markdown, tables))


def _markdown(table: Table) -> str:
    lines = [f"**{_escape_markdown(table.title)}**", ""] if table.title else []
    lines.append(_markdown_row(_escape_markdown(h.heading) for h in table.headings))
    lines.append("|" + "|".join(" :-- " if h.is_text else " --: " for h in table.headings) + "|")
    for row in table.rows:
        shown = [_escape_markdown(value.shown) for value in row]
        lines.append(
            _markdown_row(
                f"**{text}**" if value.is_best else text
                for text, value in zip(shown, row, strict=True)
            )
        )
    # A line of its own each; two spaces keep them apart.
    notes = [_escape_markdown(note) + "  " for note in table.notes]
    return "\n".join([*lines, *([""] if notes else []), *notes]) + "\n"


def _markdown_row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _escape_markdown(text: str) -> str:
    """No markup but ours; a table's row is one line."""
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", " ".join(text.split()))
