"""Tables in HTML, as a page or as a fragment of one."""

from __future__ import annotations

import html
from collections.abc import Sequence

from rnnlm.results.tables.table import Heading, Table, Value

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Results</title>
<style>
body {{ font-family: sans-serif; }}
th, td {{ padding: .2rem .6rem; text-align: left; }}
td {{ white-space: nowrap; }}
.number {{ text-align: right; }}
</style>
</head>
<body>
{}
</body>
</html>
"""


def as_html_page(tables: Sequence[Table]) -> str:
    """A page of its own."""
    return PAGE.format(as_html(tables))


def as_html(tables: Sequence[Table]) -> str:
    """One after the other, each with its caption and notes, the best of each column strong."""
    return "\n".join(map(_html, tables))


def _html(table: Table) -> str:
    caption = f"<caption>{html.escape(table.title)}</caption>" if table.title else ""
    head = "".join(
        f'<th scope="col"{_html_class(heading)}>{html.escape(heading.heading)}</th>'
        for heading in table.headings
    )
    body = "\n".join(
        "<tr>"
        + "".join(_html_cell(h, v) for h, v in zip(table.headings, row, strict=True))
        + "</tr>"
        for row in table.rows
    )
    notes = "".join(f'\n<p class="note">{html.escape(note)}</p>' for note in table.notes)
    head = f"<thead><tr>{head}</tr></thead>"
    in_html = f"<table>{caption}\n{head}\n<tbody>\n{body}\n</tbody></table>"
    # What is wider than a phone scrolls by itself.
    return f'<div style="overflow-x: auto">{in_html}</div>{notes}'


def _html_cell(heading: Heading, value: Value) -> str:
    text = html.escape(value.shown)
    text = f"<strong>{text}</strong>" if value.is_best else text
    return f"<td{_html_class(heading)}>{text}</td>"


def _html_class(heading: Heading) -> str:
    return "" if heading.is_text else ' class="number"'
