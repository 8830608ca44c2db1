"""Records for tests of tables, plots and reports, and what a table shows."""

from __future__ import annotations

from rnnlm.results.record import COMPLETED, FAILED, Record
from rnnlm.results.tables.table import Table

SPLIT = {"loss": 1.5, "ppl": 4.48, "bpc": 2.16, "num_tokens": 100, "num_chars": 100}
# The splits of a failed run.
NO_SPLITS = {"train": None, "validation": None, "test": None}


def record(**fields: object) -> Record:
    """A completed record with plausible metrics."""
    values = {
        "status": COMPLETED,
        "data": "time_machine",
        "source": "sample",
        "text_sha256": "abc",
        "model": "lstm",
        "features": "embed",
        "seed": 1,
        "fingerprint": "f00",
        "vocab_size": 70,
        "train": SPLIT,
        "validation": SPLIT,
        "test": SPLIT,
        **fields,
    }
    return Record(**values)  # type: ignore[arg-type]


def baseline(model: str, **fields: object) -> Record:
    """A completed record of a baseline: without features and seed."""
    return record(model=model, features=None, seed=None, **fields)


def split(ppl: float, bpc: float | None = None) -> dict[str, float]:
    """The metrics of a split; bits per character rise with the perplexity."""
    return {"loss": 1.0, "ppl": ppl, "bpc": bpc or ppl / 2, "num_tokens": 9, "num_chars": 9}


def seeds(model: str, *ppl: float, **fields: object) -> list[Record]:
    """A record for each perplexity, with the seeds 1, 2 and so on."""
    return [
        record(model=model, seed=seed, validation=split(p), test=split(p), train=split(p), **fields)
        for seed, p in enumerate(ppl, 1)
    ]


def three_runs() -> list[Record]:
    """An LSTM that is best on validation, an RNN that is best on test, and a GRU that failed."""
    return [
        record(model="rnn", validation=split(5.0), test=split(4.0)),
        record(model="lstm", validation=split(4.0), test=split(5.0), num_parameters=123456),
        record(model="gru", status=FAILED, error="It [b].", **NO_SPLITS),
    ]


def grid() -> list[Record]:
    """Two seeds of each of three models with each of two features; gru-embed is best."""
    return [
        run
        for level, model in enumerate(("gru", "lstm", "rnn"))
        for features, more in (("embed", 0.0), ("onehot", 0.5))
        for run in seeds(model, 4 + level + more, 4.2 + level + more, features=features)
    ]


def shown(table: Table, name: str) -> list[str]:
    """The values of a column as a table shows them, from top to bottom."""
    return [value.shown for value in table.column(name)]
