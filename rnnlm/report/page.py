"""The page itself: what the records hold, put into `report.html.jinja`."""

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
from rnnlm.results.grouping import Comparison, comparisons
from rnnlm.results.history import Against
from rnnlm.results.record import FAILED, Record
from rnnlm.results.tables.comparison import differences_tables
from rnnlm.results.tables.formats import as_html
from rnnlm.results.tables.grid import grid_tables
from rnnlm.results.tables.groups import groups_table
from rnnlm.results.tables.runs import failures
from rnnlm.results.tables.table import Table

# The columns of a text's table, and of the table of costs.
OF_A_TEXT = (
    *("model", "features", "options", "n", "num_parameters", "best_epoch"),
    *("train_ppl", "validation_ppl", "test_ppl", "test_bpc", "exact_match"),
)
COSTS = (
    *("data", "model", "features", "options", "n", "num_parameters", "epochs"),
    *("tokens_per_second", "train_seconds", "peak_memory_mb"),
)
# Steps and tokens would show the same curves again.
CURVES_AGAINST = (Against.epoch, Against.seconds)


def render(found: Sequence[tuple[Path, Record]], left_out: Sequence[str], title: str) -> str:
    """The report of some runs, in HTML that needs no other file.

    Args:
        found: the runs, each with its folder.
        left_out: what looked like a record and was none, in words.
    """
    records = [record for _, record in found]
    environment = Environment(
        loader=PackageLoader("rnnlm.report", ""),
        autoescape=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    texts = [_of_text(comparison, found) for comparison in comparisons(records)]
    return environment.get_template("report.html.jinja").render(
        title=title,
        question=account.question(records),
        texts=texts,
        costs=_html(groups_table(records, _that_say_something(COSTS, records))),
        made_with=account.made_with(records),
        options=account.shared_options(records),
        failed=failures(records),
        left_out=[*left_out, *(line for text in texts for line in text["left_out"])],
    )


def _of_text(comparison: Comparison, found: Sequence[tuple[Path, Record]]) -> dict[str, Any]:
    """What the page says of the runs on one text."""
    figure = main_figure(comparison)
    completed = {id(record) for record in comparison.records}
    # What has failed is noted in the figures of its corpus.
    own = [run for run in found if id(run[1]) in completed or run[1].status == FAILED]
    drawn, broken = draw_all(own, [comparison], x=CURVES_AGAINST, column=figure)
    records = comparison.records
    (differences,) = differences_tables(records, figure)
    shown = dict.fromkeys((figure, COLUMNS["test_bpc"]))
    return {
        "title": escaped(comparison.title),
        "data": legible(records[0].data),
        "answer": " ".join(Differences.of(comparison, figure).answer()),
        "facts": account.facts(comparison),
        "grids": [_html(table) for column in shown for table in grid_tables(records, column)],
        "groups": _html(groups_table(records, _that_say_something(OF_A_TEXT, records))),
        "differences": _html(differences),
        "figures": [{"source": _data_url(plot), "description": plot.title} for plot in drawn],
        "samples": _samples(comparison),
        "commands": [(group.name, account.command(group)) for group in comparison.groups],
        "left_out": [str(error) for error in broken],
    }


def main_figure(comparison: Comparison) -> Column[Record]:
    """What the question is about: perplexity, or the share of right answers where there are any."""
    asked = any(record.exact_match is not None for record in comparison.records)
    return COLUMNS["exact_match" if asked else "test_ppl"]


def _that_say_something(names: Sequence[str], records: Sequence[Record]) -> list[str]:
    """Without columns that would be empty."""
    several = {group.options for c in comparisons(records) for group in c.groups} != {""}
    matched = any(record.exact_match is not None for record in records)
    return [
        name
        for name in names
        if (name != "options" or several) and (name != "exact_match" or matched)
    ]


def _samples(comparison: Comparison) -> list[dict[str, str]]:
    """What the first seed of each group has written."""
    firsts = [(group.name, group.records[0]) for group in comparison.groups]
    return [
        {"name": name, "prompt": record.prompt or "", "text": record.sample}
        for name, record in firsts
        if record.sample is not None
    ]


def _html(table: Table) -> Markup:
    # It has escaped what it was given.
    return Markup(as_html([table]))


def _data_url(plot: Plot) -> str:
    """The figure as an image within the page, in vectors."""
    return f"data:image/svg+xml;base64,{base64.b64encode(encoded(plot, Format.svg)).decode()}"
