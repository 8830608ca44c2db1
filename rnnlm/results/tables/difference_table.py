"""The table of differences between every two groups, with a summary in words."""

from __future__ import annotations

from rnnlm.messages.legible import escaped
from rnnlm.results.columns import Column, significant
from rnnlm.results.differences import Difference, Differences, unit_of
from rnnlm.results.differences_in_words import paragraph, shown_p
from rnnlm.results.tables.table import Table, table_of


def differences_table(differences: Differences) -> Table:
    """Return a table with a row for each pair of groups."""
    metric, unit = differences.metric, unit_of(differences.metric)
    columns: list[Column[Difference]] = [
        Column("better", "better", lambda d: d.better, is_text=True),
        Column("worse", "worse", lambda d: d.worse, is_text=True),
        Column("effect", f"better by {unit}", lambda d: d.effect, significant),
        Column("low", f"95 % from {unit}", lambda d: d.low, significant),
        Column("high", f"95 % to {unit}", lambda d: d.high, significant),
        Column("n", "seeds", lambda d: d.n),
        Column("p", "p", lambda d: d.p, shown_p),
        Column("p_corrected", "p corrected", lambda d: d.p_corrected, shown_p),
        Column(
            "is_distinguishable",
            "distinguishable",
            lambda d: d.is_distinguishable,
            lambda is_distinguishable: "yes" if is_distinguishable else "no",
            is_text=True,
        ),
    ]
    return table_of(
        differences.pairs,
        columns,
        [""] * len(differences.pairs),
        title=f"{metric.heading} · {escaped(differences.comparison.title)}",
        notes=paragraph(differences),
        least_needed=("p", "n"),
    )
