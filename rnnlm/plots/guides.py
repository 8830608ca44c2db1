"""The figures of what has no place along an axis, which are drawn as lines across the others'."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from statistics import fmean

from rnnlm.plots.label_column import Label
from rnnlm.plots.notes import listed
from rnnlm.plots.scale import Scale
from rnnlm.plots.style import GUIDE
from rnnlm.results.columns import Column
from rnnlm.results.grouping import Group
from rnnlm.results.history import has_a_place
from rnnlm.results.record import Record


def guides_of(groups: Iterable[Group], figure: Column[Record]) -> dict[str, float]:
    """A figure of each group that has it, by the group's name."""
    found = {group.name: group.values(figure) for group in groups}
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
