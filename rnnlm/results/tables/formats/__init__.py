"""How tables are written, by the name of the format."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rnnlm.results.tables.formats.html import as_html, as_html_page
from rnnlm.results.tables.formats.latex import as_latex
from rnnlm.results.tables.formats.machine_readable import as_csv, as_json
from rnnlm.results.tables.formats.markdown import as_markdown
from rnnlm.results.tables.table import Table

FORMATS: dict[str, Callable[[Sequence[Table]], str]] = {
    "csv": as_csv,
    "json": as_json,
    "markdown": as_markdown,
    "latex": as_latex,
    "html": as_html_page,
}

__all__ = ["FORMATS", "as_csv", "as_html", "as_json", "as_latex", "as_markdown"]
