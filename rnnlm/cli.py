"""The `rnnlm` command: what is done with runs after they are trained."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rnnlm.results.record import find_records
from rnnlm.results.table import Table
from rnnlm.terminal import table_console


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; the exit status is 2 where it cannot do what it is asked."""
    parser = argparse.ArgumentParser(prog="rnnlm", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    results = commands.add_parser("results", help="print the table of all runs below the folders")
    results.add_argument(
        "folders", nargs="*", type=Path, default=[Path("outputs")], metavar="FOLDER"
    )
    results.set_defaults(run=print_results)
    options = parser.parse_args(arguments)
    return int(options.run(options))


def print_results(options: argparse.Namespace) -> int:
    """Make the table again from the records; of one folder, also its CSV and Markdown."""
    for folder in options.folders:
        if not folder.is_dir():
            return _refuse(f"no folder {folder}; give the folder that the runs are in")
    records, broken = find_records(options.folders)
    for error in broken:
        print(f"left out: {error}", file=sys.stderr)
    if not records:
        return _refuse(f"no finished run below {', '.join(map(str, options.folders))}")
    table = Table([record for _, record in records])
    table.print(table_console())
    if len(options.folders) == 1:
        try:
            table.write(options.folders[0])
        except OSError as error:
            return _refuse(f"{error.filename} cannot be written ({error.strerror})")
    return 0


def _refuse(problem: str) -> int:
    print(f"rnnlm: {problem}", file=sys.stderr)
    return 2
