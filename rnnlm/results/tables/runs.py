"""The table of runs: one row a run, sorted by validation, the best of each text marked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rnnlm.messages.legible import legible
from rnnlm.results.columns import SELECTED_BY, Column, column_named
from rnnlm.results.grouping import differing_options, measured_on
from rnnlm.results.record import COMPLETED, Record
from rnnlm.results.tables.table import (
    Table,
    best_of_each_text,
    heading_of,
    sorted_by,
    values_of,
)

# What a table has unless other columns are asked for.
USUAL = (
    *("data", "source", "model", "features", "options", "seed", "num_parameters", "best_epoch"),
    *("train_ppl", "validation_ppl", "validation_unigram_ppl", "test_ppl", "test_bpc"),
    *("exact_match", "tokens_per_second", "train_seconds", "status"),
)
# Columns that stand only where a run has something to say in them.
SOMETIMES = ("options", "exact_match")
# What a narrow terminal is spared, first to go first; the files have every column.
LEAST_NEEDED = (
    *("train_seconds", "tokens_per_second", "source", "best_epoch", "status", "seed"),
    *("test_bpc", "num_parameters", "validation_unigram_ppl", "data"),
)
LONGEST_ERROR = 2_000
TEXTS_NOTE = "measured on {} texts, splits or vocabularies; figures compare only within one of them"


def runs_table(
    records: Sequence[Record],
    columns: Sequence[str] | None = None,
    sort: str | None = None,
    descending: bool = False,
) -> Table:
    """A row for each record.

    Runs on the same text stand together, the best on validation first and failed runs last.
    Figures of different texts, splits or vocabularies do not compare: the best is one of each.

    Args:
        columns: their names, instead of the usual ones; an option's dotted name is one too.
        sort: the name of a column to sort by, the smallest first unless `descending`.

    Raises:
        NoSuchColumnError: a column or the one to sort by is none.
    """
    rows = sorted(records, key=_usual_order)
    if sort is not None:
        rows = sorted_by(rows, _column(sort, records), descending)
    chosen = [_column(name, records) for name in columns or usual_columns(USUAL, records)]
    if columns is None:
        chosen = [c for c in chosen if c.name not in SOMETIMES or _has_any(c, rows)]
    texts = [measured_on(record) for record in rows]
    by_column = [values_of(column, rows, texts) for column in chosen]
    marked = best_of_each_text([SELECTED_BY.value(r) for r in rows], texts, SELECTED_BY.better)
    return Table(
        [heading_of(column) for column in chosen],
        [list(row) for row in zip(*by_column, strict=True)],
        marked=frozenset(marked),
        notes=what_to_know(rows),
        least_needed=LEAST_NEEDED,
    )


def usual_columns(names: Sequence[str], records: Sequence[Record]) -> list[str]:
    """With text and vocabulary, where what is called the same are different ones."""
    completed = [record for record in records if record.status == COMPLETED]
    named = {(record.data, record.source) for record in completed}
    if len({measured_on(record) for record in completed}) <= len(named):
        return list(names)
    return [*names[:2], "text_sha256", "vocab_size", *names[2:]]


def what_to_know(records: Sequence[Record]) -> list[str]:
    """That not all rows compare, and what has failed."""
    texts = {measured_on(record) for record in records if record.status == COMPLETED}
    notes = [TEXTS_NOTE.format(len(texts))] if len(texts) > 1 else []
    return notes + failures(records)


def failures(records: Sequence[Record]) -> list[str]:
    """What has failed, and why, a line each."""
    return [
        f"failed: {_name(record)}: {legible(record.error, LONGEST_ERROR)}"
        for record in records
        if record.error
    ]


def _column(name: str, records: Sequence[Record]) -> Column[Record]:
    if name != "options":
        return column_named(name, records)
    options = dict(zip(map(id, records), differing_options(records), strict=True))
    return Column(name, name, lambda record: options[id(record)] or None, is_text=True)


def _has_any(column: Column[Record], records: Sequence[Record]) -> bool:
    return any(column.value(record) is not None for record in records)


def _name(record: Record) -> str:
    seed = "" if record.seed is None else f" seed {record.seed}"
    return legible(f"{record.data} {record.cell}{seed}")


def _usual_order(record: Record) -> tuple[Any, ...]:
    selected_by = SELECTED_BY.value(record)
    return (
        record.data,
        record.status != COMPLETED,
        str(measured_on(record)),
        math.inf if selected_by is None or math.isnan(selected_by) else selected_by,
        record.cell,
        -1 if record.seed is None else record.seed,
    )
