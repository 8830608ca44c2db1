"""Standard output and error that outlast whoever reads them.

A sweep that trains for hours must not end because the terminal is gone, the pipe is closed, or a
character cannot be shown. This file imports nothing large.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any


class _LastingFile(io.FileIO):
    """A file whose output is dropped where it cannot be written."""

    def write(self, content: Any) -> int:
        """Write the content; what nobody takes counts as written."""
        try:
            return super().write(content)
        except OSError:
            return len(content)


def make_streams_last() -> None:
    """Replace the standard streams by ones to which printing never raises.

    A stream that is closed becomes one to nowhere, lest the next file that is opened takes its
    number. A character that the encoding lacks is written as its escape.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # It takes the lowest number that is free, and the processes started here have it too.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout, sys.stderr = _lasting(sys.stdout, 1), _lasting(sys.stderr, 2)


def _lasting(stream: Any, number: int) -> io.TextIOWrapper:
    if stream is not None:
        stream.flush()
    file = _LastingFile(number, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(file),
        encoding=stream.encoding if stream is not None else "utf-8",
        errors="backslashreplace",
        line_buffering=number == 2 or file.isatty(),
    )
