"""Text broken into lines that fit, and what room it takes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties

from rnnlm.messages.legible import shortened
from rnnlm.plots.lettering import Lettering, lettering
from rnnlm.plots.style import TEXT_SIZE

POINTS_PER_INCH = 72
LINE_SPACING = 1.25
# Longer texts are shortened: each of their characters is measured.
LONGEST = 1_000
# Between those with ascenders and those without, above the line they stand on, as a share of size.
MIDDLE_OF_LETTERS = 0.34
# Dots per inch at which a text is as wide as its outlines.
MEASURED_AT = 600


@dataclass(frozen=True)
class Block:
    """Lines of text as they are drawn: their size in points, and their room in inches."""

    lettering: Lettering
    size: float
    width: float
    height: float

    @property
    def font(self) -> dict[str, Any]:
        """As matplotlib has it."""
        return {"fontfamily": list(self.lettering.families), "fontsize": self.size}

    @property
    def baselines(self) -> list[tuple[str, float]]:
        """Each line and how far below the top of the block it stands, in inches."""
        middle_of_letters = MIDDLE_OF_LETTERS * self.size / POINTS_PER_INCH
        return [
            (line, (index + 0.5) * line_height(self.size) + middle_of_letters)
            for index, line in enumerate(self.lettering.text.split("\n"))
        ]


def line_height(size: float = TEXT_SIZE) -> float:
    """In inches."""
    return size * LINE_SPACING / POINTS_PER_INCH


def block(text: str, size: float = TEXT_SIZE, width: float = math.inf) -> Block:
    """Text in lines of at most a width in inches, for which a word that is longer is broken."""
    letters = lettering(shortened(text, LONGEST))
    lines = list(_lines(letters, size, width))
    return Block(
        Lettering("\n".join(lines), letters.families),
        size,
        max(_width(line, letters.families, size) for line in lines),
        len(lines) * line_height(size),
    )


def _lines(letters: Lettering, size: float, width: float) -> Iterator[str]:
    line = ""
    # At spaces, and within names such as `lstm+cache`.
    for word in re.findall(r" ?[^ +]*\+?", letters.text):
        longer = line + word if line else word.removeprefix(" ")
        if _width(longer, letters.families, size) <= width:
            line = longer
            continue
        if line:
            yield line
        line = ""
        for character in word.removeprefix(" "):
            if line and _width(line + character, letters.families, size) > width:
                yield line
                line = ""
            line += character
    yield line


def _width(text: str, families: tuple[str, ...], size: float) -> float:
    """In inches."""
    font = FontProperties(family=list(families), size=size)
    width, _, _ = _renderer().get_text_width_height_descent(  # type: ignore[no-untyped-call]
        text, font, False
    )
    return float(width) / MEASURED_AT


@cache
def _renderer() -> RendererAgg:
    return RendererAgg(1, 1, MEASURED_AT)  # type: ignore[no-untyped-call]
