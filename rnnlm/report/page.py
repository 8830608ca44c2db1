"""The page of a report: records, tables and plots in the template `report.html.jinja`."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rnnlm.messages.legible import escaped, legible
from rnnlm.plots.all_plots import draw_all
from rnnlm.plots.layout import Plot
from rnnlm.plots.saving import Format, encoded
from rnnlm.report import account
from rnnlm.results.columns import COLUMNS, Column
from rnnlm.results.differences import Differences
from rnnlm.results.differences_in_words import answer
from rnnlm.results.grouping import Comparison, comparisons
from rnnlm.results.history import XAxis
from rnnlm.results.record import FAILED, Record
from rnnlm.results.tables.difference_table import differences_table
from rnnlm.results.tables.formats import as_html
from rnnlm.results.tables.grid import grid_tables
from rnnlm.results.tables.group_table import groups_table
from rnnlm.results.tables.run_table import failures
from rnnlm.results.tables.table import Table

# The columns of the table of all models of a text, and of the table of costs.
TEXT_COLUMNS = (
    "model", "features", "options", "n", "num_parameters", "best_epoch",
    "train_ppl", "validation_ppl", "test_ppl", "test_bpc", "exact_match",
)  # fmt: skip
COST_COLUMNS = (
    "data", "model", "features", "options", "n", "num_parameters", "epochs",
    "tokens_per_second", "train_seconds", "peak_memory_mb",
)  # fmt: skip
# Steps and tokens would show the same curves again.
CURVES_AGAINST = (XAxis.epoch, XAxis.seconds)


def render(found: Sequence[tuple[Path, Record]], left_out: Sequence[str], title: str) -> str:
    """Return a report of the runs as HTML that needs no other file.

    Args:
        found: the runs, each with its folder.
        left_out: messages on files that are not records.
    """
    records = [record for _, record in found]
    grouped = comparisons(records)
    failed = [record for record in records if record.status == FAILED]
    environment = Environment(
        loader=PackageLoader("rnnlm.report", ""),
        autoescape=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    sections = [_section(comparison, found) for comparison in grouped]
    return environment.get_template("report.html.jinja").render(
        title=title,
        question=account.question(records),
        comparisons=sections,
        costs=_html(groups_table(grouped, failed, usual=COST_COLUMNS)),
        made_with=account.made_with(records),
        options=account.shared_options(records),
        failed=failures(records),
        left_out=[*left_out, *(line for section in sections for line in section["left_out"])],
    )


def _section(comparison: Comparison, found: Sequence[tuple[Path, Record]]) -> dict[str, Any]:
    """The content of the page on the runs of one comparison."""
    metric = main_metric(comparison)
    compared = set(map(id, comparison.records))
    # The plots name the failed runs of the same corpus.
    runs = [run for run in found if id(run[1]) in compared or run[1].status == FAILED]
    drawn, broken = draw_all(runs, [comparison], x=CURVES_AGAINST, column=metric)
    differences = Differences.of(comparison, metric)
    grids = [t for m in (metric, COLUMNS["test_bpc"]) for t in grid_tables(comparison, m)]
    samples = [(group.name, group.records[0]) for group in comparison.groups]
    return {
        "title": escaped(comparison.title),
        "data": legible(comparison.records[0].data),
        "answer": " ".join(answer(differences)),
        "facts": account.facts(comparison),
        "grids": [_html(table) for table in grids],
        "groups": _html(groups_table([comparison], usual=TEXT_COLUMNS)),
        "differences": _html(differences_table(differences)),
        "plots": [{"image_url": _data_url(plot), "description": plot.title} for plot in drawn],
        "samples": [
            {"name": name, "prompt": record.prompt or "", "text": record.sample}
            for name, record in samples
            if record.sample is not None
        ],
        "commands": [(group.name, account.command(group)) for group in comparison.groups],
        "left_out": [str(error) for error in broken],
    }


def main_metric(comparison: Comparison) -> Column[Record]:
    """Return exact match if any run has it, and otherwise test perplexity."""
    has_tasks = any(record.exact_match is not None for record in comparison.records)
    return COLUMNS["exact_match" if has_tasks else "test_ppl"]


def _html(table: Table) -> Markup:
    return Markup(as_html([table]))  # which has escaped all text


def _data_url(plot: Plot) -> str:
    """The plot as an SVG image within the page."""
    return f"data:image/svg+xml;base64,{base64.b64encode(encoded(plot, Format.svg)).decode()}"
