"""The table of runs: one row a run, sorted by validation, the best of each text marked."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from rnnlm.messages.legible import legible
from rnnlm.results.columns import COLUMNS, SELECTED_BY, Column, column_named
from rnnlm.results.grouping import differing_options, measured_on
from rnnlm.results.record import COMPLETED, Record
from rnnlm.results.tables.table import Row, Table, sorted_by, table_of

# The columns of the table unless others are asked for.
USUAL = (
    "data", "source", "model", "features", "options", "seed", "num_parameters", "best_epoch",
    "train_ppl", "validation_ppl", "validation_unigram_ppl", "test_ppl", "test_bpc",
    "exact_match", "device", "runs_per_gpu", "tokens_per_second", "train_seconds", "status",
)  # fmt: skip
# Usual columns that are left out where no row has a value.
SOMETIMES = ("options", "exact_match")
# Usual columns that are left out where all networks have the same value.
IF_DIFFERENT = ("device", "runs_per_gpu")
# The columns that a narrow terminal leaves out, in this order; files have all of them.
LEAST_NEEDED = (
    "train_seconds", "tokens_per_second", "runs_per_gpu", "device", "source", "best_epoch",
    "status", "seed", "test_bpc", "num_parameters", "validation_unigram_ppl", "data",
)  # fmt: skip
LONGEST_ERROR = 2_000
TEXTS_NOTE = "measured on {} texts, splits or vocabularies; figures compare only within one of them"


def runs_table(
    records: Sequence[Record],
    columns: Sequence[str] | None = None,
    sort: str | None = None,
    descending: bool = False,
) -> Table:
    """Return a table with a row for each record.

    Runs that were measured on the same tokens are adjacent, the best on validation first and the
    failed ones last. Only their metrics are comparable, so the best of each column is marked
    among them.

    Args:
        columns: names of columns and options, instead of the usual columns.
        sort: the column to sort by, in ascending order unless `descending`.

    Raises:
        NoSuchColumnError: there is no such column.
    """
    options = dict(zip(map(id, records), differing_options(records), strict=True))

    def column(name: str) -> Column[Record]:
        if name != "options":
            return column_named(name, records)
        return Column(name, name, lambda record: options[id(record)] or None, is_text=True)

    rows = sorted(records, key=_usual_order)
    if sort is not None:
        rows = sorted_by(rows, column(sort), descending)
    return table_of(
        rows,
        chosen(columns, usual_columns(USUAL, records), column, rows),
        [measured_on(record) for record in rows],
        SELECTED_BY,
        notes=notes_on(rows),
        least_needed=LEAST_NEEDED,
    )


def chosen(
    names: Sequence[str] | None,
    usual: Sequence[str],
    column: Callable[[str], Column[Row]],
    rows: Sequence[Row],
) -> list[Column[Row]]:
    """Return the columns of these names, or the usual ones except those without a value."""
    if names is not None:
        return [column(name) for name in names]
    return [
        c
        for c in map(column, usual)
        if c.name not in SOMETIMES or any(c.value(row) is not None for row in rows)
    ]


def usual_columns(names: Sequence[str], records: Sequence[Record]) -> list[str]:
    """Return the columns without those in which the records agree, and with what tells texts apart.

    Args:
        names: the usual columns.
    """
    networks = [record for record in records if record.features]
    alike = [name for name in IF_DIFFERENT if not _differ(COLUMNS[name], networks)]
    return _with_identity_of_texts([name for name in names if name not in alike], records)


def _differ(column: Column[Record], records: Sequence[Record]) -> bool:
    values = {column.value(record) for record in records}
    return len(values - {None}) > 1


def _with_identity_of_texts(names: Sequence[str], records: Sequence[Record]) -> list[str]:
    """Add the text's hash and the size of the vocabulary if corpus and source are ambiguous."""
    completed = [record for record in records if record.status == COMPLETED]
    sources = {(record.data, record.source) for record in completed}
    if "source" not in names or len({measured_on(r) for r in completed}) <= len(sources):
        return list(names)
    after = names.index("source") + 1
    return [*names[:after], "text_sha256", "vocab_size", *names[after:]]


def notes_on(records: Sequence[Record]) -> list[str]:
    """Return notes on rows that are not comparable, and on failed runs."""
    texts = {measured_on(record) for record in records if record.status == COMPLETED}
    notes = [TEXTS_NOTE.format(len(texts))] if len(texts) > 1 else []
    return notes + failures(records)


def failures(records: Sequence[Record]) -> list[str]:
    """Return a line for each failed run, with its error."""
    return [
        f"failed: {_name(record)}: {legible(record.error, LONGEST_ERROR)}"
        for record in records
        if record.error
    ]


def _name(record: Record) -> str:
    seed = "" if record.seed is None else f" seed {record.seed}"
    return legible(f"{record.data} {record.model_and_features}{seed}")


def _usual_order(record: Record) -> tuple[Any, ...]:
    selected_by = SELECTED_BY.value(record)
    return (
        record.data,
        record.status != COMPLETED,
        str(measured_on(record)),
        math.inf if selected_by is None or math.isnan(selected_by) else selected_by,
        record.model_and_features,
        -1 if record.seed is None else record.seed,
    )
