"""Labels in a column beside the axes, each as near as can be to the end of its line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rnnlm.plots.placement import spread
from rnnlm.plots.sheet import GAP, Sheet
from rnnlm.plots.style import TO_LABEL
from rnnlm.plots.text_block import Block, block

# In inches.
LEADER, SAMPLE, SPACE = 0.16, 0.34, 0.06
WIDEST = 1.75
# Labels go on beside what is written below the axes.
BELOW = 0.25


@dataclass(frozen=True)
class Label:
    """A name for what is at `y`, in the axis' unit, and how matplotlib draws a sample of it."""

    name: str
    y: float
    sample: Mapping[str, Any]
    # Of a line across the axes.
    is_guide: bool = False

    @cached_property
    def text(self) -> Block:
        """The name in lines that the column has room for."""
        return block(self.name, width=WIDEST)

    @property
    def height(self) -> float:
        """Of its place in the column, in inches."""
        return self.text.height + SPACE


def column_width(labels: Sequence[Label]) -> float:
    """In inches, with what leads to the labels."""
    if not labels:
        return GAP
    return LEADER + SAMPLE + SPACE + max(label.text.width for label in labels)


def column_height(labels: Sequence[Label]) -> float:
    """In inches."""
    return sum(label.height for label in labels)


def draw_column(sheet: Sheet, labels: Sequence[Label]) -> None:
    """Write the labels at the right of the axes, with a sample of each line."""
    ends = [sheet.place(sheet.axes.get_xlim()[1], label.y)[1] for label in labels]
    heights = [label.height for label in labels]
    centres = spread(ends, heights, -BELOW, sheet.height)
    sample = sheet.width + LEADER
    for label, end, centre in zip(labels, ends, centres, strict=True):
        sheet.line([(sheet.width, end), (sample, centre)], **TO_LABEL)
        middle = sample + SAMPLE / 2
        sheet.line(
            [(x, centre) for x in (sample, middle, sample + SAMPLE)],
            **{**label.sample, "markevery": [1]},
        )
        sheet.write(label.text, sample + SAMPLE + SPACE, centre)
