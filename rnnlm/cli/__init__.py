"""Tables, plots, reports, texts and measurements of trained runs."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from rnnlm.signals.ctrl_c import ended_by_interrupts
from rnnlm.signals.exit_status import BROKEN_PIPE_STATUS, INTERRUPTED_STATUS

COMPLETED_STATUS, USAGE_STATUS = 0, 2
LONGEST_MESSAGE = 2_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand of `rnnlm`; the exit status is 2 if it cannot be carried out."""
    with ended_by_interrupts():
        from rnnlm.cli import evaluate, generate, plot, report, results
        from rnnlm.cli.output import RefusedError, say

    name = "rnnlm"
    try:
        parser = _Parser(prog="rnnlm", description=__doc__)
        commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
        for command in (results, plot, report, generate, evaluate):
            command.add_to(commands)
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A character that the screen cannot show is written as its escape.
            sys.stdout.reconfigure(errors="backslashreplace")
        options = parser.parse_args(arguments)
        name = f"rnnlm {options.command}"
        if sys.stdout is None:
            raise RefusedError("there is nowhere to write to")
        options.execute(options)
        sys.stdout.flush()
    except RefusedError as error:
        say(f"{name}: {error}")
        return USAGE_STATUS
    except KeyboardInterrupt:
        return INTERRUPTED_STATUS
    except BrokenPipeError:
        _give_up_output()
        return BROKEN_PIPE_STATUS
    except MemoryError:
        say(f"{name}: out of memory")
        return USAGE_STATUS
    except OSError as error:
        say(f"{name}: {error.filename or 'the output'} cannot be written ({error.strerror})")
        _give_up_output()
        return USAGE_STATUS
    return COMPLETED_STATUS


class _Parser(argparse.ArgumentParser):
    """A parser whose error messages are one line."""

    def print_help(self, file: Any = None) -> None:
        # argparse itself ignores errors of writing.
        if file is None and sys.stdout is not None:
            sys.stdout.write(self.format_help())
            sys.stdout.flush()
        else:
            super().print_help(file)

    def error(self, message: str) -> NoReturn:
        from rnnlm.messages.legible import legible

        said = legible(message, LONGEST_MESSAGE)
        self.exit(USAGE_STATUS, f"{self.prog}: {said}; see {self.prog} --help\n")


def _give_up_output() -> None:
    """Send further output nowhere, or Python would complain again as it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
