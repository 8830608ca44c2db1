"""How things look: sizes, colours that differ in lightness, line styles and markers.

A cell has a colour and a marker, its features a line style and a filled or hollow marker. The
colours are `LIGHTNESS_APART` or more apart in CIE lightness, so that grey and every kind of colour
blindness leave them different.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib

from rnnlm.plots.lettering import BASE_FAMILY
from rnnlm.results.grouping import Group
from rnnlm.results.tables.grid import USUAL_ORDER

# Such as 128, 0.5 and 1e-05.
NUMBER = r"[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?"
# In inches: what a page or a screen has room for.
WIDTH = 7.0
PNG_DPI = 200
# In points.
TITLE_SIZE, TEXT_SIZE, NOTE_SIZE = 10.5, 8.5, 7.5
TEXT_COLOUR, NOTE_COLOUR, FRAME_COLOUR, GRID_COLOUR = "#1a1a1a", "#505050", "#707070", "#e4e4e4"
CROWD_COLOUR = "#c4c4c4"
# More groups than this are grey but for the best.
MOST_TOLD_APART = 12
# From a line's end to its label.
TO_LABEL: dict[str, Any] = {"color": FRAME_COLOUR, "linewidth": 0.5}
BAND_OPACITY, RUNNING_OPACITY = 0.22, 0.45
LINE_WIDTH, MARKER_SIZE = 1.5, 4.2
# In CIE L*, from 0, black, to 100, white.
LIGHTNESS_APART = 9.0
# Navy, orange, brick, sky, violet, teal: the first ones are the furthest apart.
PALETTE = ("#0b1f5c", "#e07b00", "#a32f3a", "#6dbbea", "#5b2a86", "#11877a")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
# On, off, in points.
LineStyle = tuple[float, tuple[float, ...] | None]
SOLID: LineStyle = (0, None)
LINE_STYLES: tuple[LineStyle, ...] = (SOLID, (0, (4, 1.6)), (0, (1.2, 1.4)), (0, (6, 1.5, 1, 1.5)))
GUIDE: dict[str, Any] = {
    "color": "#404040",
    "linestyle": (0, (7, 2, 1.5, 2, 1.5, 2)),
    "linewidth": 0.9,
}

_RC_PARAMETERS: dict[Any, Any] = {
    "font.family": [BASE_FAMILY],
    "font.size": TEXT_SIZE,
    "text.parse_math": False,
    "text.color": TEXT_COLOUR,
    "xtick.color": FRAME_COLOUR,
    "ytick.color": FRAME_COLOUR,
    "xtick.labelcolor": TEXT_COLOUR,
    "ytick.labelcolor": TEXT_COLOUR,
    # Text as paths, and the same names of things each time.
    "svg.fonttype": "path",
    "svg.hashsalt": "rnnlm",
}


@contextmanager
def drawing() -> Iterator[None]:
    """What is drawn and saved within looks alike, whatever a user has set in matplotlib."""
    fonts = logging.getLogger("matplotlib.font_manager")
    fonts.addFilter(_is_worth_saying)
    try:
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(_RC_PARAMETERS)
            yield
    finally:
        fonts.removeFilter(_is_worth_saying)


def _is_worth_saying(message: logging.LogRecord) -> bool:
    """Not that of a Chinese font there is only the one weight."""
    return "Failed to find font weight" not in str(message.msg)


@dataclass(frozen=True)
class Look:
    """How a group is drawn."""

    colour: str
    marker: str
    line_style: LineStyle
    filled: bool

    @property
    def markers(self) -> dict[str, Any]:
        """Of the points, as matplotlib has it."""
        return {
            "marker": self.marker,
            "markersize": MARKER_SIZE,
            "markeredgewidth": 1.0,
            "markeredgecolor": self.colour,
            "markerfacecolor": self.colour if self.filled else "white",
        }

    @property
    def line(self) -> dict[str, Any]:
        """Of the line and its points, as matplotlib has it."""
        style = {"color": self.colour, "linestyle": self.line_style, "linewidth": LINE_WIDTH}
        return {**style, **self.markers}


class Looks:
    """The look of each group, the same in all figures of the same groups."""

    def __init__(self, groups: Sequence[Group]) -> None:
        cells = sorted({row_name(g) for g in groups if g.features}, key=in_usual_order)
        features = sorted({g.features for g in groups if g.features})
        self._cells = {cell: index for index, cell in enumerate(cells)}
        self._features = {name: index for index, name in enumerate(features)}

    def of(self, group: Group) -> Look:
        """The look of a group that has features."""
        cell, features = self._cells[row_name(group)], self._features[group.features or ""]
        return Look(
            PALETTE[cell % len(PALETTE)],
            MARKERS[cell % len(MARKERS)],
            LINE_STYLES[features % len(LINE_STYLES)],
            filled=features % 2 == 0,
        )


def row_name(group: Group) -> str:
    """The cell without its features, and what sets it apart: what has a colour of its own."""
    return f"{group.model} {group.options}".rstrip()


def in_usual_order(row: str) -> tuple[int, list[tuple[float, str]]]:
    """A key to sort rows by: cells as tables have them, and 64 before 128."""
    model, _, _ = row.partition(" ")
    place = USUAL_ORDER.index(model) if model in USUAL_ORDER else len(USUAL_ORDER)
    parts = re.split(rf"({NUMBER})", row)
    return place, [(float(p) if index % 2 else -1.0, p) for index, p in enumerate(parts)]


def lightness(colour: str) -> float:
    """CIE L* of a colour such as `#0b1f5c`: what is left of it in grey."""
    red, green, blue = (_linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return 116 * luminance ** (1 / 3) - 16 if luminance > 216 / 24389 else luminance * 24389 / 27


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
