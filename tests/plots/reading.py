"""Reads back what a plot shows."""

from __future__ import annotations

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.text import Text

from rnnlm.plots.layout import Plot
from rnnlm.results.grouping import Comparison, comparisons
from tests.plots.sweep import Runs


def comparison_of(runs: Runs) -> Comparison:
    """The one comparison that the runs make."""
    (comparison,) = comparisons([record for _, record in runs])
    return comparison


def texts(plot: Plot) -> list[str]:
    """Every line of text in a plot."""
    written = [text.get_text() for text in plot.figure.findobj(Text) if text.get_visible()]
    return [line for text in written for line in text.splitlines()]


def lines(plot: Plot) -> list[tuple[list[float], list[float]]]:
    """The x and y of every line."""
    return [numbers(line) for line in plot.figure.axes[0].lines]


def line(plot: Plot, name: str) -> tuple[list[float], list[float]]:
    """The x and y of a group's line or point."""
    (found,) = (line for line in plot.figure.axes[0].lines if line.get_label() == name)
    return numbers(found)


def legend(plot: Plot) -> list[str]:
    """The names in the legend, from top to bottom."""
    found = plot.figure.axes[0].get_legend()
    return [text.get_text().replace("\n", " ") for text in found.get_texts()] if found else []


def is_within_its_edges(plot: Plot) -> bool:
    """Tell whether nothing is cut off at the edges of the picture."""
    box, (width, height) = plot.figure.get_tightbbox(), plot.figure.get_size_inches()
    return bool(0 < box.x0 < box.x1 < width and 0 < box.y0 < box.y1 < height)


def lightness(colour: str) -> float:
    """CIE L* of a colour such as `#0b1f5c`, from 0, black, to 100, white: what is left in grey."""
    return float(116 * luminance(colour) ** (1 / 3) - 16)


def luminance(colour: str) -> float:
    """The relative luminance of a colour that is not nearly black, from 0 to 1."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def numbers(found: Line2D) -> tuple[list[float], list[float]]:
    """The x and y of a line."""
    x, y = (np.asarray(values, dtype=np.float64).tolist() for values in found.get_data())
    return x, y
