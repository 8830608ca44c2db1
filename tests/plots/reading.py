"""What tests read back from a figure."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from rnnlm.plots.lettering import characters
from rnnlm.results.grouping import Comparison, comparisons
from tests.plots.sweep import Runs


def comparison_of(runs: Runs) -> Comparison:
    """The one comparison that the runs make."""
    (comparison,) = comparisons([record for _, record in runs])
    return comparison


def texts(figure: Figure) -> list[str]:
    """Everything that is written in it."""
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def line(figure: Figure, name: str) -> tuple[list[float], list[float]]:
    """The x and y of a group's line or point."""
    (found,) = (artist for artist in figure.axes[0].lines if artist.get_label() == name)
    return numbers(found)


def numbers(found: Line2D) -> tuple[list[float], list[float]]:
    """The x and y of a line."""
    x, y = (np.asarray(values, dtype=np.float64).tolist() for values in found.get_data())
    return x, y


def letters_without_a_glyph(figure: Figure) -> set[str]:
    """What would be drawn as an empty box."""
    return {
        letter
        for text in figure.findobj(Text)
        for letter in text.get_text()
        if not any(letter in characters(family) for family in text.get_fontfamily())
    }
