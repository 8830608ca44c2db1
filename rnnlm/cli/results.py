"""`rnnlm results`: print the tables of any number of sweeps, in any format."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnnlm.cli.output import RefusedError, write_output
from rnnlm.cli.selection import add_selection, select
from rnnlm.results.columns import COLUMNS, RANKED, NoSuchColumnError
from rnnlm.results.differences import Differences
from rnnlm.results.grouping import comparisons
from rnnlm.results.record import FAILED, Record
from rnnlm.results.tables.difference_table import differences_table
from rnnlm.results.tables.formats import FORMATS
from rnnlm.results.tables.grid import grid_tables
from rnnlm.results.tables.group_table import groups_table
from rnnlm.results.tables.run_table import runs_table
from rnnlm.results.tables.table import Table
from rnnlm.results.tables.terminal import print_table, table_console

DEFAULT_METRIC = "test_ppl"
_FORMATS_BY_SUFFIX = {
    ".csv": "csv",
    ".json": "json",
    ".md": "markdown",
    ".tex": "latex",
    ".html": "html",
}


def add_to(commands: Any) -> None:
    """Add the subcommand to the parser."""
    parser = commands.add_parser(
        "results",
        help="print tables of all runs below the folders",
        description="Print a table with one row per run, or means over seeds, a grid, or "
        "differences. Runs on other texts, splits or vocabularies are marked as not comparable.",
    )
    add_selection(parser)
    views = parser.add_mutually_exclusive_group()
    views.add_argument(
        "--seeds",
        action="store_true",
        help="one row for runs that differ only in the seed: mean, standard deviation and 95%% "
        "interval",
    )
    for name, does in (
        ("grid", "a grid of models x features with a metric, for each text"),
        ("compare", "differences between models, paired by seed, and which may be chance"),
    ):
        views.add_argument(
            f"--{name}",
            nargs="?",
            const=DEFAULT_METRIC,
            choices=RANKED,
            metavar="METRIC",
            help=f"{does} (default: {DEFAULT_METRIC})",
        )
    parser.add_argument(
        "--columns",
        metavar="A,B",
        help=f"columns of the table: {', '.join(COLUMNS)}; a metric at an epoch, such as "
        "validation_ppl@10 and train_running_ppl@10; a kind of tasks, such as "
        "exact_match[digits=3] and tasks[digits=3]; or the name of an option",
    )
    parser.add_argument(
        "--sort", metavar="COLUMN", help="sort the rows by this column, smallest first"
    )
    parser.add_argument("--descending", action="store_true", help="with --sort: largest first")
    parser.add_argument(
        "--format",
        choices=["table", *FORMATS],
        default="table",
        help="format of the tables (default: a table on the screen, or by the name of the file)",
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write to a file instead of the screen"
    )
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> None:
    """Print the tables, or write them to a file.

    Raises:
        RefusedError: there is nothing to show, no such column, an option has no effect, or the file
            cannot be written.
    """
    if options.descending and not options.sort:
        raise RefusedError("--descending needs --sort COLUMN")
    if (options.grid or options.compare) and (options.columns or options.sort):
        raise RefusedError("--columns and --sort are for runs and --seeds alone")
    records = [record for _, record in select(options)[0]]
    try:
        tables = _tables(options, records)
    except NoSuchColumnError as error:
        raise RefusedError(str(error)) from error
    if options.output is None and options.format == "table":
        console = table_console()
        for table in tables:
            print_table(table, console)
        return
    name = options.format
    if name == "table":
        name = _FORMATS_BY_SUFFIX.get(options.output.suffix)
        if name is None:
            raise RefusedError(f"{options.output}: say which --format, {', '.join(FORMATS)}")
    text = FORMATS[name](tables)
    if options.output is None:
        sys.stdout.write(text)
        return
    write_output(options.output, text)


def _tables(options: argparse.Namespace, records: Sequence[Record]) -> list[Table]:
    columns = options.columns.split(",") if options.columns else None
    if not (options.grid or options.compare or options.seeds):
        return [runs_table(records, columns, options.sort, options.descending)]
    found = comparisons(records)
    if options.grid:
        metric = COLUMNS[options.grid]
        return [table for comparison in found for table in grid_tables(comparison, metric)]
    if options.compare:
        metric = COLUMNS[options.compare]
        return [differences_table(Differences.of(comparison, metric)) for comparison in found]
    failed = [record for record in records if record.status == FAILED]
    return [groups_table(found, failed, columns, options.sort, options.descending)]
