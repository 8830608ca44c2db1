"""The runs that a subcommand is about: folders, and conditions on their records."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rnnlm.cli.conditions import conditions_in
from rnnlm.cli.output import RefusedError, say
from rnnlm.messages.legible import escaped
from rnnlm.results.record import Record, find_records

# Columns with a flag of their own.
FLAGS = ("data", "model", "features", "seed")


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add the folders, and flags for the columns that runs are often selected by."""
    parser.add_argument(
        "folders",
        nargs="*",
        type=Path,
        default=[Path("outputs")],
        metavar="FOLDER",
        help="folders of any number of sweeps (default: outputs)",
    )
    for name in FLAGS:
        parser.add_argument(
            f"--{name}", metavar="A,B", help=f"only the runs whose {name} is one of these"
        )
    add_where(parser)


def add_where(parser: argparse.ArgumentParser) -> None:
    """Add the flag for conditions on any column or option."""
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="NAME=A,B,…",
        help="only runs in which the column or option NAME has one of these values; commas also "
        "separate several conditions, such as optimizer.lr=0.01,0.02,model.hidden_size=64",
    )


def select(options: argparse.Namespace) -> tuple[list[tuple[Path, Record]], list[str]]:
    """Return the runs that the command line selects with their folders, and broken records.

    Raises:
        RefusedError: there is no such folder, or no such run in it.
    """
    given = vars(options)
    conditions = [f"{name}={given[name]}" for name in FLAGS if given[name] is not None]
    return runs_that_meet([*conditions, *options.where], options.folders)


def runs_that_meet(
    conditions: Sequence[str], folders: Sequence[Path]
) -> tuple[list[tuple[Path, Record]], list[str]]:
    """Return the runs below the folders that meet all conditions, and messages on broken records.

    These messages are also printed on stderr.

    Args:
        conditions: each in the form `model=lstm`.

    Raises:
        RefusedError: there is no such folder, or no such run in it.
    """
    for folder in folders:
        try:
            is_folder = folder.is_dir()
        except OSError as error:
            raise RefusedError(f"{folder} cannot be read ({error.strerror})") from error
        if not is_folder:
            raise RefusedError(f"no folder {folder}; give the folder of the runs")
    found, broken = find_records(folders)
    for record_error in broken:
        say(f"left out: {record_error}")
    if not found:
        raise RefusedError(f"no finished run below {', '.join(map(str, folders))}")
    for text in conditions:
        for condition in conditions_in(text):
            found = condition.kept(found)
    return found, [escaped(str(error)) for error in broken]
