"""The `rnnlm` command: what is done with runs after they are trained."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from rnnlm.cli import evaluate, generate, plot, report, results
from rnnlm.cli.selection import RefusedError

COMPLETED_STATUS, USAGE_STATUS = 0, 2
INTERRUPTED_STATUS, BROKEN_PIPE_STATUS = 128 + signal.SIGINT, 128 + 13


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; the exit status is 2 where it cannot do what it is asked."""
    parser = argparse.ArgumentParser(prog="rnnlm", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (results, plot, report, generate, evaluate):
        command.add_to(commands)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except RefusedError as error:
        print(f"rnnlm {options.command}: {error}", file=sys.stderr)
        return USAGE_STATUS
    except KeyboardInterrupt:
        return INTERRUPTED_STATUS
    except BrokenPipeError:
        # Whoever reads has had enough; Python would say so once more as it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE_STATUS
    return COMPLETED_STATUS
