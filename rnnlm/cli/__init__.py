"""The `rnnlm` command: what is done with runs after they are trained."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from rnnlm.cli import evaluate, generate, plot, report, results
from rnnlm.cli.selection import RefusedError

COMPLETED_STATUS, USAGE_STATUS = 0, 2
INTERRUPTED_STATUS, BROKEN_PIPE_STATUS = 128 + signal.SIGINT, 128 + 13


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; the exit status is 2 where it cannot do what it is asked."""
    parser = _Parser(prog="rnnlm", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (results, plot, report, generate, evaluate):
        command.add_to(commands)
    options = parser.parse_args(arguments)
    if sys.stdout is None:
        print(f"rnnlm {options.command}: there is nowhere to write to", file=sys.stderr)
        return USAGE_STATUS
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Where the screen cannot show a character, it shows which one that is.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        options.run(options)
        sys.stdout.flush()
    except RefusedError as error:
        print(f"rnnlm {options.command}: {error}", file=sys.stderr)
        return USAGE_STATUS
    except KeyboardInterrupt:
        return INTERRUPTED_STATUS
    except BrokenPipeError:
        _give_up_output()
        return BROKEN_PIPE_STATUS
    except OSError as error:
        reason = f"{error.filename or 'the output'} cannot be written ({error.strerror})"
        print(f"rnnlm {options.command}: {reason}", file=sys.stderr)
        _give_up_output()
        return USAGE_STATUS
    return COMPLETED_STATUS


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE_STATUS, f"{self.prog}: {message}; see {self.prog} --help\n")


def _give_up_output() -> None:
    """Nobody takes it any more; Python would say so once more as it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
