"""Plots as SVG and PNG files: the same records give the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from io import BytesIO
from itertools import product
from pathlib import Path

from rnnlm.files.atomic_write import replacing
from rnnlm.plots.layout import Plot
from rnnlm.plots.style import PNG_DPI, drawing


class Format(Enum):
    """A format of plots, by its name on the command line."""

    svg = "svg"
    png = "png"


def encoded(plot: Plot, form: Format) -> bytes:
    """Return the content of a plot's file, as for a report to embed."""
    # A date would make it another file each time.
    metadata = {"Date": None, "Title": plot.title} if form is Format.svg else {"Title": plot.title}
    file = BytesIO()
    with drawing():
        plot.figure.savefig(file, format=form.value, dpi=PNG_DPI, metadata=metadata)
    return file.getvalue()


def write(
    plots: Sequence[Plot], folder: Path, formats: Sequence[Format] = tuple(Format)
) -> list[Path]:
    """Write each plot as `<name>.svg` and `<name>.png` atomically, and make the folder if needed.

    Returns:
        The files, in order.

    Raises:
        OSError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for plot, form in product(plots, formats):
        path = folder / f"{plot.name}.{form.value}"
        with replacing(path, durable=False) as temporary:
            temporary.write_bytes(encoded(plot, form))
        paths.append(path)
    return paths
