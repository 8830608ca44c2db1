"""`rnnlm report`: write one HTML page about runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rnnlm.cli.output import write_output
from rnnlm.cli.selection import add_selection, select
from rnnlm.messages.legible import escaped
from rnnlm.signals.ctrl_c import ended_by_interrupts


def add_to(commands: Any) -> None:
    """Add the subcommand to the parser."""
    parser = commands.add_parser(
        "report",
        help="write one HTML page: tables, intervals, curves, samples, costs and commands",
        description="Write one HTML page about the runs, which needs no network and no other file.",
    )
    add_selection(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("report.html"),
        metavar="FILE",
        help="file of the page (default: %(default)s)",
    )
    parser.add_argument(
        "--title", default="Recurrent language models compared", help="title of the page"
    )
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> None:
    """Write the page.

    Raises:
        RefusedError: there is nothing to report, or the file cannot be written.
    """
    found, left_out = select(options)
    # Here, so that the other subcommands do not wait for matplotlib and scipy.
    with ended_by_interrupts():
        from rnnlm.report.page import render

    page = render(found, left_out, escaped(options.title))
    write_output(options.output, page)
    print(f"written to {escaped(str(options.output))}: {len(found)} runs")
