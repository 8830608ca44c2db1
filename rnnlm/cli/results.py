"""`rnnlm results`: the tables of any number of sweeps, in any format."""

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

USUAL_FIGURE = "test_ppl"


def add_to(commands: Any) -> None:
    """Add the subcommand to the parser."""
    parser = commands.add_parser(
        "results",
        help="tables of all runs below the folders",
        description="A row a run; or means over seeds, grids, or differences. Figures of different "
        "texts, splits or vocabularies are marked as not comparable.",
    )
    add_selection(parser)
    views = parser.add_mutually_exclusive_group()
    views.add_argument(
        "--seeds",
        action="store_true",
        help="runs that differ only in the seed as mean, standard deviation and 95%% interval",
    )
    for name, does in (
        ("grid", "the models x features grid of a figure for each text"),
        ("compare", "paired differences over seeds, and which cannot be told from chance"),
    ):
        views.add_argument(
            f"--{name}",
            nargs="?",
            const=USUAL_FIGURE,
            choices=RANKED,
            metavar="FIGURE",
            help=f"{does} (default: {USUAL_FIGURE})",
        )
    parser.add_argument(
        "--columns",
        metavar="A,B",
        help=f"of {', '.join(COLUMNS)}; of an epoch, such as validation_ppl@10 and "
        "train_running_ppl@10; of the kinds of tasks, such as exact_match[digits=3] and "
        "tasks[digits=3]; or an option's name",
    )
    parser.add_argument("--sort", metavar="COLUMN", help="smallest first")
    parser.add_argument("--descending", action="store_true", help="largest first")
    parser.add_argument("--format", choices=["table", *FORMATS], default="table")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="instead of the screen")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print the tables, or write them.

    Raises:
        RefusedError: there is nothing to show, no such column, nothing an option applies to, or the
            file cannot be written.
    """
    if options.descending and not options.sort:
        raise RefusedError("--descending: by what, say --sort COLUMN")
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
    # A file is for whoever reads its name.
    by_suffix = {".csv": "csv", ".json": "json", ".md": "markdown", ".tex": "latex"}
    by_suffix[".html"] = "html"
    name = options.format
    if name == "table":
        name = by_suffix.get(options.output.suffix)
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
