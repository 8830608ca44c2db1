"""The figures of baselines, which are drawn as lines across the others'."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import fmean

from rnnlm.plots.label_column import Label
from rnnlm.plots.magnitude import has_a_place
from rnnlm.plots.notes import listed
from rnnlm.plots.scale import Scale
from rnnlm.plots.style import GUIDE
from rnnlm.results.columns import Column
from rnnlm.results.grouping import Comparison
from rnnlm.results.record import Record


def guides_of(comparison: Comparison, figure: Column[Record]) -> dict[str, float]:
    """A figure of each baseline that has it, by the baseline's name."""
    baselines = [group for group in comparison.groups if not group.features]
    found = {group.name: group.values(figure) for group in baselines}
    means = {name: fmean(values) for name, values in found.items() if values}
    return {name: mean for name, mean in means.items() if has_a_place(mean)}


def guide_labels(guides: Mapping[str, float], scale: Scale) -> list[Label]:
    """The labels of the guides that are on the scale."""
    return [
        Label(name, value, GUIDE, is_guide=True)
        for name, value in guides.items()
        if value not in scale.left_out
    ]


def off_the_scale(
    guides: Mapping[str, float], scale: Scale, figure: Column[Record]
) -> Iterator[str]:
    """A note with the figures of those that are not."""
    off = [f"{n} {figure.show(value)}" for n, value in guides.items() if value in scale.left_out]
    if off:
        yield f"Off the scale: {listed(off)}."
