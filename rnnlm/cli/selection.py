"""Which runs a subcommand is about: the folders, and what is asked of their records."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rnnlm.results.columns import NoSuchColumnError, column_named
from rnnlm.results.record import Record, find_records

# The columns that have a flag of their own.
FLAGS = ("data", "model", "features", "seed")


class RefusedError(Exception):
    """A command line that cannot be carried out: what is wrong and what to do, in one line."""


def add_selection(parser: argparse.ArgumentParser) -> None:
    """The folders, and a flag for each column that one usually selects by."""
    parser.add_argument(
        "folders",
        nargs="*",
        type=Path,
        default=[Path("outputs")],
        metavar="FOLDER",
        help="where the runs are, of any number of sweeps (default: outputs)",
    )
    for name in FLAGS:
        parser.add_argument(
            f"--{name}", metavar="A,B", help=f"only the runs whose {name} is one of these"
        )
    add_where(parser)


def add_where(parser: argparse.ArgumentParser) -> None:
    """The flag for conditions on any column or option."""
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="NAME=A,B",
        help="only the runs whose column or option NAME is one of these, e.g. optimizer.lr=0.01",
    )


def select(options: argparse.Namespace) -> tuple[list[tuple[Path, Record]], list[str]]:
    """The runs that the command line is about, each with its folder; and what is none.

    Raises:
        RefusedError: there is no such folder, or no such run in it.
    """
    conditions = [f"{name}={getattr(options, name)}" for name in FLAGS if getattr(options, name)]
    return runs_that_meet([*conditions, *options.where], options.folders)


def runs_that_meet(
    conditions: Sequence[str], folders: Sequence[Path]
) -> tuple[list[tuple[Path, Record]], list[str]]:
    """The runs below the folders that meet all conditions, such as `model=lstm`; and what is none.

    What looks like a record and is none is also named on stderr.

    Raises:
        RefusedError: there is no such folder, or no such run in it.
    """
    for folder in folders:
        if not folder.is_dir():
            raise RefusedError(f"no folder {folder}; give the folder that the runs are in")
    found, broken = find_records(folders)
    for error in broken:
        print(f"left out: {error}", file=sys.stderr)
    if not found:
        raise RefusedError(f"no finished run below {', '.join(map(str, folders))}")
    for condition in conditions:
        found = _that_meet(condition, found)
    return found, [str(error) for error in broken]


def _that_meet(condition: str, found: list[tuple[Path, Record]]) -> list[tuple[Path, Record]]:
    name, equals, wanted = condition.partition("=")
    if not equals:
        raise RefusedError(f"--where {condition}: it takes NAME=VALUE")
    try:
        column = column_named(name, [record for _, record in found])
    except NoSuchColumnError as error:
        raise RefusedError(str(error)) from error
    values = wanted.split(",")
    kept = [(folder, record) for folder, record in found if str(column.value(record)) in values]
    if not kept:
        there_are = sorted({str(column.value(record)) for _, record in found})
        raise RefusedError(f"no run with {condition}; {name} is {', '.join(there_are[:20])}")
    return kept
