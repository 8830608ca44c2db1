"""Where tables are printed."""

from __future__ import annotations

import sys

from rich.console import Console

# Rows are not broken to fit a width that nobody is looking at.
PIPE_WIDTH = 200


def table_console() -> Console:
    """Standard output: as wide as the terminal, or wide enough for a row in a file or a pipe."""
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else PIPE_WIDTH)
