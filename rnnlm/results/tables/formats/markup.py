r"""Tables as HTML, LaTeX and Markdown: rounded numbers, the best of each column in bold.

LaTeX needs \usepackage{booktabs}, and for Chinese XeLaTeX or LuaLaTeX with ctex.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence

from rnnlm.results.tables.table import Heading, Table

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
PREAMBLE = "% needs \\usepackage{booktabs}; for Chinese XeLaTeX or LuaLaTeX, and \\usepackage{ctex}"
LATEX_SPECIAL = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
    "|": "\\textbar{}",
    '"': "\\textquotedbl{}",
    "±": "$\\pm$",
    "–": "--",
    "·": "$\\cdot$",
    # LaTeX takes these at the beginning of a row for an option of the row before.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
}


def as_html_page(tables: Sequence[Table]) -> str:
    """Return the tables as an HTML page."""
    return PAGE.format(as_html(tables))


def as_html(tables: Sequence[Table]) -> str:
    """Return the tables as a part of an HTML page, each with its caption and notes."""
    return "\n".join(map(_html, tables))


def as_latex(tables: Sequence[Table]) -> str:
    """Return the tables as `table` environments of LaTeX."""
    return "\n".join([PREAMBLE, *map(_latex, tables)])


def as_markdown(tables: Sequence[Table]) -> str:
    """Return the tables in GitHub's Markdown."""
    return "\n".join(map(_markdown, tables))


def _rows(table: Table, escape: Callable[[str], str], bold: str) -> list[list[str]]:
    """The values as shown, the best ones in bold by a pattern with `{}`."""
    return [
        [bold.format(escape(v.shown)) if v.is_best else escape(v.shown) for v in row]
        for row in table.rows
    ]


def _html(table: Table) -> str:
    caption = f"<caption>{html.escape(table.title)}</caption>" if table.title else ""
    head = "".join(
        f'<th scope="col"{_html_class(heading)}>{html.escape(heading.heading)}</th>'
        for heading in table.headings
    )
    classes = list(map(_html_class, table.headings))
    body = "\n".join(
        "<tr>" + "".join(f"<td{c}>{v}</td>" for c, v in zip(classes, row, strict=True)) + "</tr>"
        for row in _rows(table, html.escape, "<strong>{}</strong>")
    )
    notes = "".join(f'\n<p class="note">{html.escape(note)}</p>' for note in table.notes)
    in_html = f"<table>{caption}\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"
    # A table that is wider than a phone scrolls by itself.
    return f'<div style="overflow-x: auto">{in_html}</div>{notes}'


def _html_class(heading: Heading) -> str:
    return "" if heading.is_text else ' class="number"'


def _latex(table: Table) -> str:
    columns = "".join("l" if heading.is_text else "r" for heading in table.headings)
    head = [_escape_latex(heading.heading) for heading in table.headings]
    first, *rows = (
        " & ".join(row) + " \\\\" for row in [head, *_rows(table, _escape_latex, "\\textbf{{{}}}")]
    )
    lines = ["\\begin{table}", "\\centering"]
    if table.title:
        lines.append(f"\\caption{{{_escape_latex(table.title)}}}")
    lines += [f"\\begin{{tabular}}{{{columns}}}", "\\toprule", first, "\\midrule", *rows]
    lines += ["\\bottomrule", "\\end{tabular}"]
    lines += [f"\n{{\\footnotesize {_escape_latex(note)}}}" for note in table.notes]
    return "\n".join([*lines, "\\end{table}"]) + "\n"


def _escape_latex(text: str) -> str:
    return "".join(LATEX_SPECIAL.get(character, character) for character in " ".join(text.split()))


def _markdown(table: Table) -> str:
    head = [_escape_markdown(heading.heading) for heading in table.headings]
    rule = "|" + "|".join(" :-- " if h.is_text else " --: " for h in table.headings) + "|"
    first, *rows = (
        "| " + " | ".join(row) + " |" for row in [head, *_rows(table, _escape_markdown, "**{}**")]
    )
    lines = [f"**{_escape_markdown(table.title)}**", ""] if table.title else []
    lines += [first, rule, *rows]
    # Two spaces at the end of a line break it.
    notes = [_escape_markdown(note) + "  " for note in table.notes]
    return "\n".join([*lines, *([""] if notes else []), *notes]) + "\n"


def _escape_markdown(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", " ".join(text.split()))
