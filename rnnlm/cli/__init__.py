"""The `rnnlm` command: what is done with runs after they are trained."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rnnlm.cli import plot, report, results
from rnnlm.cli.selection import RefusedError

COMPLETED_STATUS, USAGE_STATUS = 0, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; the exit status is 2 where it cannot do what it is asked."""
    parser = argparse.ArgumentParser(prog="rnnlm", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (results, plot, report):
        command.add_to(commands)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except RefusedError as error:
        print(f"rnnlm {options.command}: {error}", file=sys.stderr)
        return USAGE_STATUS
    return COMPLETED_STATUS
