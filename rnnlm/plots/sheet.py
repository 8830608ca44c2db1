"""A figure as large as what it has to say: heading, axes with what is around them, and notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rnnlm.plots.style import NOTE_COLOUR, NOTE_SIZE, TEXT_COLOUR, TITLE_SIZE
from rnnlm.plots.text_block import Block, block

# In inches: around everything, and between heading, axes and notes.
EDGE, GAP = 0.12, 0.1


@dataclass(frozen=True)
class Wording:
    """What is written above and below."""

    title: str
    subtitle: str
    notes: Sequence[str]


class Sheet:
    """A figure whose places are in inches from the lower left corner of its axes."""

    def __init__(
        self,
        wording: Wording,
        width: float,
        height: float,
        left: float = 0.0,
        right: float = 0.0,
        above: float = 0.0,
        below: float = 0.0,
    ) -> None:
        """Lay out the figure.

        Args:
            width: of the axes, in inches; likewise their height, and the room to each side of them.
        """
        room = left + width + right
        heading = [block(wording.title, TITLE_SIZE, room), block(wording.subtitle, NOTE_SIZE, room)]
        notes = [block(note, NOTE_SIZE, room) for note in wording.notes]
        self.width, self.height = width, height
        self._left, self._bottom = EDGE + left, EDGE + _height(notes) + GAP + below
        self._size = (
            EDGE + room + EDGE,
            self._bottom + height + above + GAP + _height(heading) + EDGE,
        )
        self.figure = Figure(figsize=self._size, facecolor="white")
        FigureCanvasAgg(self.figure)
        lower, upper = self._share((0, 0)), self._share((width, height))
        self.axes = self.figure.add_axes((*lower, upper[0] - lower[0], upper[1] - lower[1]))
        self._write_down(heading, height + above + GAP + _height(heading))
        self._write_down(notes, -below - GAP)

    def write(
        self,
        text: Block,
        x: float,
        y: float,
        across: Literal["left", "center", "right"] = "left",
        above: float = 0.5,
        colour: str = TEXT_COLOUR,
    ) -> None:
        """Text at a place.

        Args:
            across: which end of the lines, or their middle, is there.
            above: the share of the block's height that is above the place.
        """
        for line, down in text.baselines:
            place = self._share((x, y + above * text.height - down))
            self.figure.text(*place, line, text.font, ha=across, va="baseline", color=colour)

    def write_upwards(self, text: Block, x: float, y: float) -> None:
        """A line of text from below to above, its top at x and its middle at y."""
        place = self._share((x, y))
        self.figure.text(
            *place, text.lettering.text, text.font, ha="left", va="center", rotation=90
        )

    def line(self, places: Sequence[tuple[float, float]], **properties: Any) -> None:
        """A line through places."""
        x, y = zip(*map(self._share, places), strict=True)
        transform = self.figure.transFigure
        self.figure.add_artist(Line2D(x, y, transform=transform, **properties))

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the data is."""
        across, up = self.axes.transAxes.inverted().transform(self.axes.transData.transform((x, y)))
        return float(across) * self.width, float(up) * self.height

    def _write_down(self, blocks: Sequence[Block], top: float) -> None:
        """Paragraphs below a height, from the left edge of the figure on."""
        for text in blocks:
            colour = TEXT_COLOUR if text.size == TITLE_SIZE else NOTE_COLOUR
            self.write(text, EDGE - self._left, top, above=0, colour=colour)
            top -= text.height

    def _share(self, place: tuple[float, float]) -> tuple[float, float]:
        """A place as shares of the figure."""
        width, height = self._size
        return (self._left + place[0]) / width, (self._bottom + place[1]) / height


def _height(blocks: Sequence[Block]) -> float:
    return sum(text.height for text in blocks)
