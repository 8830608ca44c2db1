"""The layout of every plot: the title above, the legend on the right, the notes below."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from rich.cells import cell_len

from rnnlm.messages.legible import escaped, legible
from rnnlm.plots.style import NOTE_COLOUR, NOTE_SIZE, TEXT_SIZE, WIDTH
from rnnlm.results.grouping import Comparison
from rnnlm.results.phrases import capitalised, span
from rnnlm.results.record import Record

# In inches: the height of the axes, of the numbers and labels at them, and the margins.
HEIGHT, AROUND, MARGIN = 3.3, 0.7, 0.1
# The letters in a line of a name in a legend or at an axis.
LONGEST_LINE = 28
# A note lists at most so many names.
MOST_NAMES = 6
# The width and height of a letter with its spacing, in inches per point of its size.
LETTER_WIDTH, LETTER_HEIGHT = 0.62 / 72, 1.25 / 72


@dataclass(frozen=True)
class Plot:
    """A plot, the name of its files without their ending, and what it shows in words."""

    name: str
    title: str
    figure: Figure


def new_axes(width: float = WIDTH, height: float = HEIGHT) -> Axes:
    """The axes of a new plot, in inches; `finish` makes it higher if the legend needs it."""
    engine = ConstrainedLayoutEngine(w_pad=MARGIN, h_pad=MARGIN)
    return Figure((width, height), layout=engine).subplots()


def finish(
    axes: Axes,
    name: str,
    title: str,
    comparison: Comparison,
    notes: Sequence[str],
    failed: Sequence[Record],
    legend: Mapping[Line2D, float] | None = None,
) -> Plot:
    """Write the title, the legend and the notes, and size the plot by them.

    Args:
        name: the name of the plot within its comparison.
        failed: failed runs of the comparison, which the last note names.
        legend: labelled lines with their last values, which order them from high to low.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    width, height = figure.get_size_inches()
    in_heading, in_note = (
        int((width - 2 * MARGIN) / (LETTER_WIDTH * size)) for size in (TEXT_SIZE, NOTE_SIZE)
    )
    title = capitalised(title)
    heading = f"{in_lines(title, in_heading)}\n{in_lines(comparison.title, in_heading)}"
    if failed:
        notes = [*notes, f"Failed: {runs_named(failed)}."]
    below = "\n".join(in_lines(note, in_note) for note in notes)
    lines = sorted(legend or {}, key=(legend or {}).__getitem__, reverse=True)
    names = [in_lines(str(line.get_label())) for line in lines]
    if lines:
        axes.legend(lines, names, loc="upper left", bbox_to_anchor=(1.02, 1))
    # A legend has half a line between two names.
    height = max(height, text_height("\n".join(names), TEXT_SIZE) + 0.1 * len(names))
    around = text_height(heading, TEXT_SIZE) + AROUND + text_height(below, NOTE_SIZE)
    figure.set_size_inches(width, height + around)
    place = {"x": MARGIN / width, "ha": "left", "linespacing": 1.25}
    figure.suptitle(heading, fontsize=TEXT_SIZE, **place)
    figure.supxlabel(below, fontsize=NOTE_SIZE, color=NOTE_COLOUR, **place)
    # Laid out once, the plot is the same in all its files.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return Plot(name, escaped(f"{title}. {comparison.title}"), figure)


def in_lines(text: str, letters: int = LONGEST_LINE) -> str:
    """Break a text into lines of so many letters, of which a Chinese one takes up two."""
    lines = []
    # A word that is too long begins a line.
    for line in textwrap.wrap(legible(text), letters, break_long_words=False):
        narrow = letters * len(line) // max(1, cell_len(line))
        lines += textwrap.wrap(line, max(1, min(letters, narrow)))
    return "\n".join(lines)


def text_height(text: str, size: float) -> float:
    """The height of lines of text in inches, of letters of a size in points."""
    return len(text.splitlines()) * size * LETTER_HEIGHT


def listed(names: Sequence[str]) -> str:
    """The names, or the first of them and the number of the others."""
    if len(names) <= MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[: MOST_NAMES - 1])} and {len(names) - MOST_NAMES + 1} more"


def runs_named(records: Sequence[Record]) -> str:
    """The cells and seeds of runs, such as `lstm-embed seeds 1 and 2, gru-embed seed 3`."""
    seeds: dict[str, dict[str, None]] = {}
    for record in records:
        seeds.setdefault(record.model_and_features, {})[str(record.seed)] = None
    nouns = {cell: "seeds" if len(own) > 1 else "seed" for cell, own in seeds.items()}
    return listed([f"{cell} {nouns[cell]} {' and '.join(own)}" for cell, own in seeds.items()])


def seed_note(numbers: Sequence[int], if_several: str) -> str:
    """Say how many seeds the groups have; `{}` stands for the number if a group has several."""
    fewest, most = min(numbers), max(numbers)
    return if_several.format(span(fewest, most)) if most > 1 else "One seed each."
