"""The columns that tables of records have: what a record says, under which heading, in what digits.

A heading carries the unit: ppl is exp of nats per token, bits/char are bits per character of the
original text, s are seconds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Generic, TypeVar

from rnnlm.data.texts.splitting import SPLITS
from rnnlm.messages.legible import legible
from rnnlm.metrics import perplexity
from rnnlm.results.record import Record

Row = TypeVar("Row")


class Better(Enum):
    """Which of two values of a figure is the better one."""

    lower = "lower"
    higher = "higher"

    def best(self, values: Sequence[float]) -> float:
        """The best of some values; what is not a number is not it, unless all are none."""
        numbers = [value for value in values if not math.isnan(value)] or values
        return min(numbers) if self is Better.lower else max(numbers)


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A column: its name in CSV, its heading with the unit, and how a value is shown."""

    name: str
    heading: str
    value: Callable[[Row], Any]
    show: Callable[[Any], str] = str
    is_text: bool = False
    # None where no value is better than another.
    better: Better | None = None
    # What a value consists of, for machines, if of more than one number.
    parts: tuple[str, ...] = ()

    @property
    def is_figure(self) -> bool:
        """Whether it is a measured number, of which seeds have a mean."""
        # `exact_match[digits=3]` is one as `exact_match` is, `validation_ppl@100` as its own is.
        return re.split(r"[\[@]", self.name)[0] in (*FIGURE_NAMES, *_OF_TRAINING)


def significant(value: float) -> str:
    """Four significant digits, and no exponent where a person would not write one."""
    if not math.isfinite(value):
        return str(value)
    four = f"{value:#.4g}".rstrip(".")
    return four if abs(value) < 10_000 else f"{value:,.0f}"


def whole(value: float) -> str:
    """Without decimals, thousands apart."""
    return f"{value:,.0f}"


def percent(value: float) -> str:
    """A share, in percent."""
    return f"{value:.2%}"


def _of_split(split: str, metric: str) -> Callable[[Record], float | None]:
    def value(record: Record) -> float | None:
        metrics = getattr(record, split)
        return metrics.get(metric) if metrics else None

    return value


_HEADINGS = {"loss": "loss (nats/token)", "ppl": "ppl", "bpc": "bits/char"}
_OF_TRAINING = ("train_running_loss", "train_running_ppl")


def _at_epoch(name: str) -> Column[Record] | None:
    """The column of a figure at an epoch, if it is the name of one: such as `validation_ppl@100`.

    `train_running` is measured while the weights move and with dropout on.
    """
    found = re.fullmatch(r"(train_running|validation)_(loss|ppl)@([1-9]\d{0,8})", name, re.ASCII)
    if found is None:
        return None
    split, metric, epoch = found[1], found[2], int(found[3])

    def value(record: Record) -> float | None:
        losses = record.history.get(split, [])
        loss = losses[epoch - 1] if epoch <= len(losses) else None
        return perplexity(loss) if loss is not None and metric == "ppl" else loss

    heading = f"{split} {_HEADINGS[metric]} at epoch {epoch}".replace("_", " ")
    return Column(name, heading, value, significant, better=Better.lower)


def _figures_of_splits() -> list[Column[Record]]:
    return [
        Column(
            f"{split}_{metric}",
            f"{split} {heading}",
            _of_split(split, metric),
            significant,
            better=Better.lower,
        )
        for split in SPLITS
        for metric, heading in _HEADINGS.items()
    ]


_KNOWN: tuple[Column[Record], ...] = (
    Column("data", "data", lambda r: r.data, is_text=True),
    Column("source", "source", lambda r: Path(r.source).name, is_text=True),
    Column("text_sha256", "text", lambda r: r.text_sha256, lambda v: v[:8], is_text=True),
    Column("model", "model", lambda r: r.model, is_text=True),
    Column("features", "features", lambda r: r.features, is_text=True),
    Column("seed", "seed", lambda r: r.seed),
    Column("vocab_size", "vocabulary", lambda r: r.vocab_size, whole),
    Column("oov_rate", "unknown in test", lambda r: r.oov_rate, percent),
    Column("num_parameters", "parameters", lambda r: r.num_parameters, whole),
    Column("epochs", "epochs", lambda r: r.epochs, whole),
    Column("best_epoch", "best epoch", lambda r: r.best_epoch, whole),
    *_figures_of_splits(),
    Column(
        "validation_unigram_ppl",
        "unigram validation ppl",
        _of_split("validation", "unigram_ppl"),
        significant,
    ),
    Column("exact_match", "exact match", lambda r: r.exact_match, percent, better=Better.higher),
    Column("tokens_per_second", "tokens/s", lambda r: r.tokens_per_second, whole),
    Column("train_seconds", "training s", lambda r: r.train_seconds, significant),
    Column("peak_memory_mb", "memory MB", lambda r: r.peak_memory_mb, whole),
    Column("device", "device", lambda r: r.device, is_text=True),
    Column("precision", "precision", lambda r: r.precision, is_text=True),
    Column("fingerprint", "fingerprint", lambda r: r.fingerprint, is_text=True),
    Column("git_revision", "revision", lambda r: r.git_revision, lambda v: v[:8], is_text=True),
    Column("started_at", "started", lambda r: r.started_at, is_text=True),
    Column("finished_at", "finished", lambda r: r.finished_at, is_text=True),
    Column("status", "status", lambda r: r.status, is_text=True),
)
COLUMNS = {column.name: column for column in _KNOWN}
# The measured numbers.
FIGURE_NAMES = (
    "best_epoch",
    "epochs",
    *(column.name for column in _figures_of_splits()),
    "validation_unigram_ppl",
    "exact_match",
    "tokens_per_second",
    "train_seconds",
    "peak_memory_mb",
)
# What the best is chosen by: within a text it orders as the loss does, and compressors have it too.
SELECTED_BY = COLUMNS["validation_bpc"]


class NoSuchColumnError(ValueError):
    """A column that no record has."""


def column_named(name: str, records: Sequence[Record]) -> Column[Record]:
    """A column of those above, of an epoch, of a kind of task, or an option by its dotted name.

    Raises:
        NoSuchColumnError: it is none of them.
    """
    if name in COLUMNS:
        return COLUMNS[name]
    at_epoch = _at_epoch(name)
    if at_epoch is not None:
        return at_epoch
    of_kinds = _of_kinds(records)
    if name in of_kinds:
        return of_kinds[name]
    if any(name in record.options for record in records):
        return Column(name, name, lambda record: record.options.get(name))
    known = ", ".join([*COLUMNS, *of_kinds])
    raise NoSuchColumnError(
        f"no column {legible(name)}; there are {known}, those of an epoch such as "
        "validation_ppl@10 and train_running_ppl@10, and options such as optimizer.lr"
    )


def _of_kinds(records: Sequence[Record]) -> dict[str, Column[Record]]:
    """Of each kind of task that the records tell apart, its exact match and how many tasks it has.

    Their names are such as `exact_match[digits=3]` and `tasks[digits=3]`.
    """
    columns: dict[str, Column[Record]] = {}
    for record in records:
        for name, by_number in record.exact_match_by.items():
            for number in by_number:
                kind = f"{name}={number}"
                share = _of_kind(name, number, "share")
                tasks = _of_kind(name, number, "tasks")
                for column in (
                    Column(
                        f"exact_match[{kind}]",
                        f"exact match {kind}",
                        share,
                        percent,
                        better=Better.higher,
                    ),
                    Column(f"tasks[{kind}]", f"tasks {kind}", tasks, whole),
                ):
                    columns[column.name] = column
    return columns


def _of_kind(name: str, number: str, figure: str) -> Callable[[Record], float | None]:
    def value(record: Record) -> float | None:
        return record.exact_match_by.get(name, {}).get(number, {}).get(figure)

    return value
