"""Output of the subcommands: to a file, the screen and stderr."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

from rnnlm.files.atomic_write import write_text
from rnnlm.messages.legible import escaped_lines, legible

LONGEST_LINE = 3_000


class RefusedError(Exception):
    """A command line cannot be carried out: one line says what is wrong and what to do."""


class Screen:
    """Standard output for texts of any origin.

    Control characters are spelled out on a terminal. A pipe and a file get texts as they are.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream, self._is_terminal = stream, stream.isatty()

    def write(self, text: str) -> None:
        """Write a text."""
        self._stream.write(escaped_lines(text) if self._is_terminal else text)

    def flush(self) -> None:
        """Show now what has been written."""
        self._stream.flush()


def say(line: str) -> None:
    """Print a line on stderr, if there is one."""
    if sys.stderr is not None:
        print(legible(line, LONGEST_LINE), file=sys.stderr, flush=True)


def write_output(path: Path, text: str) -> None:
    """Write a text, whole or not at all.

    Raises:
        RefusedError: the file cannot be written.
    """
    try:
        write_text(path, text)
    except (OSError, RuntimeError, ValueError) as error:
        # Links in a circle, and a zero byte in the name, are other errors of Python.
        reason = error.strerror if isinstance(error, OSError) else error
        raise RefusedError(f"{path} cannot be written ({reason})") from error
