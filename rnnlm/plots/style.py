"""The look of plots: sizes, fonts, colours, line styles and markers.

A cell has a colour and a marker of its own. Its features decide the line style, and whether the
marker is filled. The colours differ in lightness, so that they differ in grey too, and for readers
who are colour-blind.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

import matplotlib
from matplotlib.font_manager import findSystemFonts, fontManager

from rnnlm.results.grouping import Group
from rnnlm.results.tables.grid import usual_order

# The width of a plot, in inches.
WIDTH = 7.0
PNG_DPI = 200
# Sizes of letters, in points.
TEXT_SIZE, NOTE_SIZE = 8.5, 7.5
NOTE_COLOUR = "#505050"
# Matplotlib's properties of a group's line and markers, by the name of the group.
Looks = Mapping[str, dict[str, Any]]
# The best groups have looks of their own; the others are grey, and have no name in the legend.
MOST_LOOKS = 12
CROWD: dict[str, Any] = {"color": "#c4c4c4", "linewidth": 0.8, "markersize": 3, "zorder": 1.4}
# Lines across the axes are thin and dark, and have no markers.
GUIDE: dict[str, Any] = {"color": "#404040", "linewidth": 0.9, "zorder": 1.5}
# Navy, orange, brick, sky, violet, teal: the first ones are the furthest apart in lightness.
PALETTE = ("#0b1f5c", "#e07b00", "#a32f3a", "#6dbbea", "#5b2a86", "#11877a")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
# Each is an offset, and the lengths of dashes and gaps, in points.
LINE_STYLES: tuple[tuple[float, tuple[float, ...] | None], ...] = (
    (0, None),
    (0, (4, 1.6)),
    (0, (1.2, 1.4)),
    (0, (6, 1.5, 1, 1.5)),
    (0, (7, 2, 1.5, 2, 1.5, 2)),
    (0, (12, 3)),
)
# The fonts for what `DejaVu Sans`, which comes with matplotlib, has no glyph for. Matplotlib asks
# them in this order, character by character, and draws the rest in its Last Resort font.
FALLBACK_FONTS = (
    *("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN"),
    *("WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "AR PL UMing CN"),  # Linux
    *("PingFang SC", "Hiragino Sans GB", "Arial Unicode MS", "Microsoft YaHei", "SimHei"),
)

_RC_PARAMETERS: dict[Any, Any] = {
    "font.size": TEXT_SIZE,
    "text.parse_math": False,
    "axes.edgecolor": "#707070",
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#e4e4e4",
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "lines.markersize": 4.2,
    "legend.frameon": False,
    "legend.borderaxespad": 0.0,
    "legend.handlelength": 2.8,
    # An SVG has text as paths, and the same names of its parts each time.
    "svg.fonttype": "path",
    "svg.hashsalt": "rnnlm",
}


@contextmanager
def drawing() -> Iterator[None]:
    """Draw and save in the style of this module, whatever a user has set in matplotlib."""
    fonts = logging.getLogger("matplotlib.font_manager")
    level = fonts.level
    # It warns of Chinese fonts that have one weight only.
    fonts.setLevel(logging.ERROR)
    try:
        with matplotlib.rc_context(), warnings.catch_warnings():
            # The Last Resort font shows what such a character is.
            warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(_RC_PARAMETERS)
            matplotlib.rcParams["font.family"] = font_families()
            yield
    finally:
        fonts.setLevel(level)


@cache
def font_families() -> list[str]:
    """The installed fonts, in the order in which matplotlib asks them for a glyph."""
    # Matplotlib stores a list of fonts, and does not notice those installed since.
    for path in set(findSystemFonts()) - {entry.fname for entry in fontManager.ttflist}:
        with suppress(OSError, RuntimeError, ValueError):  # It is no font that can be drawn.
            fontManager.addfont(path)
    installed = fontManager.get_font_names()
    return ["DejaVu Sans", *(family for family in FALLBACK_FONTS if family in installed)]


def looks_of(groups: Sequence[Group]) -> Looks:
    """Return the look of each group of networks, the same in all plots of the same groups."""
    networks = [group for group in groups if group.features]
    rows = sorted({row_name(group) for group in networks}, key=in_usual_order)
    features = sorted({group.features for group in networks if group.features})
    looks = {}
    for group in networks:
        row, kind = rows.index(row_name(group)), features.index(group.features or "")
        colour = PALETTE[row % len(PALETTE)]
        looks[group.name] = {
            "color": colour,
            # Rows that share a colour differ in marker and line style.
            "linestyle": LINE_STYLES[(kind + row // len(PALETTE)) % len(LINE_STYLES)],
            "marker": MARKERS[row % len(MARKERS)],
            "markerfacecolor": "white" if kind % 2 else colour,
        }
    return looks


def row_name(group: Group) -> str:
    """The cell without its features, and the options that set it apart: the row of a heat map."""
    return f"{group.model} {group.options}".rstrip()


def in_usual_order(row: str) -> tuple[int, list[tuple[float, str]]]:
    """A sort key for the names of rows: cells as in tables, and numbers by their value."""
    place, _ = usual_order(row.partition(" ")[0])
    parts = re.split(r"([0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?)", row)
    return place, [(float(p) if index % 2 else -1.0, p) for index, p in enumerate(parts)]
