"""A metric against what it costs: parameters, or time of training."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from rnnlm.plots.layout import Plot, finish, new_axes, seed_note
from rnnlm.plots.scales import set_scale, set_scale_with_guides, with_unit
from rnnlm.plots.style import CROWD, MOST_LOOKS, Looks
from rnnlm.results.columns import COLUMNS, Column
from rnnlm.results.grouping import Comparison
from rnnlm.results.history import can_be_drawn
from rnnlm.results.record import Record

# The costs by their columns.
COSTS = {"num_parameters": "parameters", "train_seconds": "training time"}


def draw_trade_off(
    comparison: Comparison,
    looks: Looks,
    column: Column[Record],
    cost: str,
    failed: Sequence[Record] = (),
) -> Plot | None:
    """Draw a point for each group of networks, with bars from the lowest value to the highest.

    Return None if there are fewer than two groups to compare.

    Args:
        cost: one of COSTS.
    """
    points = [
        (group, costs, values)
        for group in comparison.groups
        if group.features
        and (costs := group.values(COLUMNS[cost]))
        and (values := group.values(column))
        and all(map(can_be_drawn, costs + values))
    ]
    if len(points) < 2:
        return None
    all_costs = [value for _, costs, _ in points for value in costs]
    all_values = [value for _, _, values in points for value in values]
    label, unit = with_unit(COSTS[cost], max(all_costs), is_time=cost == "train_seconds")
    axes = new_axes()
    set_scale(axes, "x", [value / unit for value in all_costs], label)
    legend, off_scale = set_scale_with_guides(axes, all_values, comparison.baselines, column)
    for rank, (group, costs, values) in enumerate(points):
        x, y = fmean(costs) / unit, fmean(values)
        if rank >= MOST_LOOKS:
            axes.plot(x, y, "o", **CROWD)
            continue
        look = looks[group.name]
        bar = {"color": look["color"], "linewidth": 0.9, "zorder": 2}
        axes.plot([min(costs) / unit, max(costs) / unit], [y, y], **bar)
        axes.plot([x, x], [min(values), max(values)], **bar)
        (point,) = axes.plot(x, y, label=group.name, zorder=3, **{**look, "linestyle": ""})
        legend[point] = y
    crowd = len(points) - MOST_LOOKS
    notes = [
        seed_note(
            [len(values) for _, _, values in points],
            "Points: mean over {} seeds. Bars: from the lowest value to the highest.",
        ),
        *([f"In grey: {crowd} more, which are worse on validation."] if crowd > 0 else []),
        *off_scale,
    ]
    title = f"{column.in_words} against {COSTS[cost]}"
    return finish(axes, f"{column.name}-{cost}", title, comparison, notes, failed, legend)
