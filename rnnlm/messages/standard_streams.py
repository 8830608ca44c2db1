"""Standard output and error to which printing never fails.

A sweep that trains for hours must not end because the terminal is gone, the pipe is closed, or a
character cannot be shown. This file imports nothing large.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any


class _ForgivingFile(io.FileIO):
    """A file that drops what cannot be written, without an error."""

    def write(self, content: Any) -> int:
        """Write the content; dropped content counts as written."""
        try:
            return super().write(content)
        except OSError:
            return len(content)


def make_streams_unbreakable() -> None:
    """Replace the standard streams by streams to which printing never fails.

    A closed stream becomes /dev/null, or the next file to be opened would take its number. A
    character that the encoding does not have is written as its escape.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # It takes the lowest free number. Processes started from here inherit it.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout, sys.stderr = _unbreakable(sys.stdout, 1), _unbreakable(sys.stderr, 2)


def _unbreakable(stream: Any, number: int) -> io.TextIOWrapper:
    if stream is not None:
        stream.flush()
    file = _ForgivingFile(number, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(file),
        encoding=stream.encoding if stream is not None else "utf-8",
        errors="backslashreplace",
        line_buffering=number == 2 or file.isatty(),
    )
