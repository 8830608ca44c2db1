"""Writing what a subcommand has made to the file that it was asked for."""

from __future__ import annotations

from pathlib import Path

from rnnlm.atomic_write import write_text
from rnnlm.cli.selection import RefusedError


def write_output(path: Path, text: str) -> None:
    """Write a text, whole or not at all.

    Raises:
        RefusedError: the file cannot be written.
    """
    try:
        write_text(path, text)
    except OSError as error:
        raise RefusedError(f"{path} cannot be written ({error.strerror})") from error
