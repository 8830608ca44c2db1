"""The table of differences: every two groups of a text, and in words which are alike."""

from __future__ import annotations

from collections.abc import Sequence

from rnnlm.messages.legible import escaped
from rnnlm.results.columns import Column, significant
from rnnlm.results.differences import Difference, Differences, shown_p
from rnnlm.results.grouping import comparisons
from rnnlm.results.record import Record
from rnnlm.results.tables.table import Table, heading_of, values_of


def differences_tables(records: Sequence[Record], figure: Column[Record]) -> list[Table]:
    """The paired differences of the completed runs, a table for each text.

    Raises:
        ValueError: no value of the figure is better than another.
    """
    return [
        _table(
            f"{figure.heading} · {escaped(comparison.title)}", Differences.of(comparison, figure)
        )
        for comparison in comparisons(records)
    ]


def _table(title: str, differences: Differences) -> Table:
    columns = _columns(differences)
    texts = [title] * len(differences.pairs)
    by_column = [values_of(column, differences.pairs, texts) for column in columns]
    return Table(
        [heading_of(column) for column in columns],
        [list(row) for row in zip(*by_column, strict=True)],
        title=title,
        notes=differences.paragraph().splitlines(),
        least_needed=("p", "n"),
    )


def _columns(differences: Differences) -> list[Column[Difference]]:
    unit = differences.unit
    return [
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
