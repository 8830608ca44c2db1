"""A sheet with two scales, one below and one on the left, and a column of labels on the right."""

from __future__ import annotations

from collections.abc import Sequence

from rnnlm.plots.label_column import Label, column_height, column_width, draw_column
from rnnlm.plots.scale import Scale
from rnnlm.plots.sheet import EDGE, GAP, Sheet, Wording
from rnnlm.plots.style import FRAME_COLOUR, GRID_COLOUR, TEXT_SIZE, WIDTH
from rnnlm.plots.text_block import POINTS_PER_INCH, block, line_height

# In inches.
HEIGHT, TICK = 3.3, 0.05


def scaled_sheet(
    wording: Wording, x: tuple[str, Scale], y: tuple[str, Scale], labels: Sequence[Label]
) -> Sheet:
    """The sheet, with a line across for every label that is a guide's.

    Args:
        x: the label and the scale below; likewise y, on the left.
    """
    numbers = [block(number).width for number in y[1].numbers]
    left = line_height() + GAP + max(numbers, default=0.0) + 2 * TICK
    right = column_width(labels)
    sheet = Sheet(
        wording,
        width=WIDTH - 2 * EDGE - left - right,
        height=max(HEIGHT, column_height(labels)),
        left=left,
        right=right,
        below=2 * line_height() + 3 * TICK,
    )
    axes = sheet.axes
    if x[1].logarithmic:
        axes.set_xscale("log")
    if y[1].logarithmic:
        axes.set_yscale("log")
    axes.set(xlim=x[1].limits, ylim=y[1].limits)
    axes.minorticks_off()
    axes.set_xticks(x[1].ticks, x[1].numbers)
    axes.set_yticks(y[1].ticks, y[1].numbers)
    axes.tick_params(length=TICK * POINTS_PER_INCH, width=0.7, labelsize=TEXT_SIZE)
    axes.grid(color=GRID_COLOUR, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set(linewidth=0.7, color=FRAME_COLOUR)
    below, beside = (
        block(f"{label}, log scale" if scale.logarithmic else label) for label, scale in (x, y)
    )
    sheet.write(below, sheet.width / 2, -line_height() - 2.5 * TICK, "center", above=0)
    sheet.write_upwards(beside, -left, sheet.height / 2)
    for label in labels:
        if label.is_guide:
            axes.axhline(label.y, zorder=1.5, **label.sample)
    draw_column(sheet, labels)
    return sheet
