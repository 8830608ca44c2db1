"""The curves of a comparison's groups, in the unit of the axis, and what is missing of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rnnlm.files.run_files import SCALARS
from rnnlm.plots.notes import runs_named
from rnnlm.plots.scale import Unit, time_unit, token_unit
from rnnlm.plots.seeds import SeedCurve, Series
from rnnlm.results.grouping import Group
from rnnlm.results.history import COSTS, Against, Histories, Measured, Metric
from rnnlm.results.record import Record

AGAINST = {
    Against.epoch: "epochs",
    Against.step: "optimizer steps",
    Against.tokens: "training tokens",
    Against.seconds: "training time",
}


@dataclass(frozen=True)
class GroupCurve:
    """A group's curve over those of its seeds that have one, and likewise that in training."""

    group: Group
    validation: SeedCurve
    running: SeedCurve | None


def group_curves(
    groups: Sequence[Group], histories: Histories, metric: Metric, against: Against, running: bool
) -> tuple[list[GroupCurve], Unit]:
    """The curves of the groups that have one, and the unit that their x is in.

    Args:
        running: those in training too.
    """

    def seeds(group: Group, measured: Measured) -> list[Series]:
        histories_of_it = filter(None, map(histories.of, group.records))
        return [
            s for history in histories_of_it if (s := history.series(metric, measured, against))
        ]

    found = [(group, own) for group in groups if (own := seeds(group, Measured.validation))]
    unit = _unit(
        against, max((x for _, own in found for one in own for x, _ in one.values()), default=0.0)
    )
    curves = []
    for group, own in found:
        in_training = seeds(group, Measured.running) if running else []
        curves.append(
            GroupCurve(
                group,
                SeedCurve.of(own, unit.size),
                SeedCurve.of(in_training, unit.size) if in_training else None,
            )
        )
    return curves, unit


def what_is_missing(
    groups: Sequence[Group], histories: Histories, metric: Metric, against: Against
) -> Iterator[str]:
    """Notes that name the runs of which a curve, or a point of it, is not there."""
    unread: list[Record] = []
    without: list[Record] = []
    beyond: list[Record] = []
    for record in (record for group in groups for record in group.records):
        history = histories.of(record)
        if history is None:
            unread.append(record)
        elif not any(against in point.at for point in history.points):
            without.append(record)
        elif not history.is_whole(metric, Measured.validation):
            beyond.append(record)
    if unread:
        yield f"Left out, for want of a curve in {SCALARS}: {runs_named(unread)}."
    if without:
        yield f"Left out, for want of {COSTS[against]} in {SCALARS}: {runs_named(without)}."
    if beyond:
        yield f"Points that are infinite, or as good as, are left out of {runs_named(beyond)}."


def _unit(against: Against, most: float) -> Unit:
    what = AGAINST[against]
    if against is Against.seconds:
        return time_unit(what, most)
    return token_unit(what, most) if against is Against.tokens else Unit(what)
