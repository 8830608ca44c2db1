"""The formats in which tables are written, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rnnlm.results.tables.formats.machine_readable import as_csv, as_json
from rnnlm.results.tables.formats.markup import as_html, as_html_page, as_latex, as_markdown
from rnnlm.results.tables.table import Table

FORMATS: dict[str, Callable[[Sequence[Table]], str]] = {
    "csv": as_csv,
    "json": as_json,
    "markdown": as_markdown,
    "latex": as_latex,
    "html": as_html_page,
}

__all__ = ["FORMATS", "as_csv", "as_html", "as_json", "as_latex", "as_markdown"]
