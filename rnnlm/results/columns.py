"""The columns of a table of records: value, heading with its unit, digits and scale.

Units: ppl is exp of nats per token, bits/char are bits per character of the original text, and s
are seconds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
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
    """The better one of two values of a metric."""

    lower = "lower"
    higher = "higher"

    def best(self, values: Sequence[float]) -> float:
        """Return the best of the values; NaN only if all of them are NaN."""
        numbers = [value for value in values if not math.isnan(value)] or values
        return min(numbers) if self is Better.lower else max(numbers)


class Scale(Enum):
    """The scale on which two values of a column are compared."""

    linear = "linear"
    # Positive values, which are compared by their ratio, that is by their logarithms.
    ratio = "ratio"
    # Values that are logarithms already, such as nats: their difference stands for a ratio.
    log_value = "log_value"
    # Shares from 0 to 1, shown in percent.
    share = "share"


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A column: its name in CSV, its heading with the unit, and how a value is shown."""

    name: str
    heading: str
    value: Callable[[Row], Any]
    show: Callable[[Any], str] = str
    is_text: bool = False
    # A number that each run measures anew, so that runs of several seeds have a mean of it.
    is_measured: bool = False
    # None where no value is better than another.
    better: Better | None = None
    scale: Scale = Scale.linear
    # The name and the unit in full, if the heading abbreviates them.
    unabbreviated: str = ""
    # The heading of exp of the values, on the scale `log_value`.
    exp_heading: str = ""
    # The names of a value's parts in CSV and JSON, if it consists of several numbers.
    parts: tuple[str, ...] = ()

    @property
    def in_words(self) -> str:
        """The name and the unit without abbreviations, as for the axis of a plot."""
        return self.unabbreviated or self.heading

    def show_margin(self, margin: float, mean: float) -> str:
        """Format what is added to or taken from a mean, with as many decimals as the mean has."""
        decimals = len(self.show(mean).rstrip("%").partition(".")[2])
        if self.scale is Scale.share:
            return f"{100 * margin:.{decimals}f}%"
        return f"{margin:.{decimals}f}"


def significant(value: float) -> str:
    """Format a number with four significant digits, and without an exponent up to 10,000."""
    if not math.isfinite(value):
        return str(value)
    four = f"{value:#.4g}".rstrip(".")
    return four if abs(value) < 10_000 else f"{value:,.0f}"


def whole(value: float) -> str:
    """Format a number without decimals, with commas between thousands."""
    return f"{value:,.0f}"


def percent(value: float) -> str:
    """Format a share in percent."""
    return f"{value:.2%}"


# The heading, the name in full and the scale of each metric of a split.
_METRICS = {
    "loss": ("loss (nats/token)", "loss (nats per token)", Scale.log_value),
    "ppl": ("ppl", "perplexity", Scale.ratio),
    "bpc": ("bits/char", "bits per character", Scale.ratio),
}
# The metrics that a record's history has of each epoch. `train_running` is measured while the
# weights change and with dropout on.
_AT_EPOCH = re.compile(r"(train_running|validation)_(loss|ppl)@([1-9]\d{0,8})", re.ASCII)


def _of_split(split: str, metric: str) -> Callable[[Record], float | None]:
    def value(record: Record) -> float | None:
        metrics = getattr(record, split)
        return metrics.get(metric) if metrics else None

    return value


def _of_epoch(split: str, metric: str, epoch: int) -> Callable[[Record], float | None]:
    def value(record: Record) -> float | None:
        losses = record.history.get(split, [])
        loss = losses[epoch - 1] if epoch <= len(losses) else None
        return perplexity(loss) if loss is not None and metric == "ppl" else loss

    return value


def _of_kind(name: str, number: str, field: str) -> Callable[[Record], float | None]:
    return lambda record: record.exact_match_by.get(name, {}).get(number, {}).get(field)


def _metric(split: str, metric: str, epoch: int | None = None) -> Column[Record]:
    """The column of a metric at the best epoch, or at a given one."""
    heading, in_full, scale = _METRICS[metric]
    name, value, at = f"{split}_{metric}", _of_split(split, metric), ""
    if epoch is not None:
        name, value, at = f"{name}@{epoch}", _of_epoch(split, metric, epoch), f" at epoch {epoch}"
    split = split.replace("_", " ")
    return Column(
        name,
        f"{split} {heading}{at}",
        value,
        significant,
        is_measured=True,
        better=Better.lower,
        scale=scale,
        unabbreviated=f"{split} {in_full}{at}",
        exp_heading=f"{split} ppl{at}",
    )


def _exact_match(name: str, heading: str, value: Callable[[Record], Any]) -> Column[Record]:
    better, scale = Better.higher, Scale.share
    return Column(name, heading, value, percent, is_measured=True, better=better, scale=scale)


def _unranked(name: str, heading: str, show: Callable[[Any], str] = whole) -> Column[Record]:
    """The column of a measured number without a better direction."""
    return Column(name, heading, lambda record: getattr(record, name), show, is_measured=True)


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
    _unranked("epochs", "epochs"),
    _unranked("best_epoch", "best epoch"),
    *(_metric(split, metric) for split in SPLITS for metric in _METRICS),
    Column(
        "validation_unigram_ppl",
        "unigram validation ppl",
        _of_split("validation", "unigram_ppl"),
        significant,
        is_measured=True,
    ),
    _exact_match("exact_match", "exact match", lambda r: r.exact_match),
    _unranked("tokens_per_second", "tokens/s"),
    _unranked("train_seconds", "training s", significant),
    _unranked("peak_memory_mb", "memory MB"),
    Column("device", "device", lambda r: r.device, is_text=True),
    Column("runs_per_gpu", "runs per GPU", lambda r: r.runs_per_gpu, whole),
    Column("precision", "precision", lambda r: r.precision, is_text=True),
    Column("evaluation", "evaluation", lambda r: r.evaluation, is_text=True),
    Column("fingerprint", "fingerprint", lambda r: r.fingerprint, is_text=True),
    Column("git_revision", "revision", lambda r: r.git_revision, lambda v: v[:8], is_text=True),
    Column("started_at", "started", lambda r: r.started_at, is_text=True),
    Column("finished_at", "finished", lambda r: r.finished_at, is_text=True),
    Column("status", "status", lambda r: r.status, is_text=True),
)
COLUMNS = {column.name: column for column in _KNOWN}
# The metrics of which one value is better than another.
RANKED = {name: column for name, column in COLUMNS.items() if column.better}
# The metric by which the best run is chosen. Within a corpus it ranks as the loss does, and
# baselines that know no tokens have it too.
SELECTED_BY = COLUMNS["validation_bpc"]


class NoSuchColumnError(ValueError):
    """A column that no record has."""


def column_named(name: str, records: Sequence[Record]) -> Column[Record]:
    """Return the column of this name: a known one, an epoch's, a kind of task's or an option's.

    Raises:
        NoSuchColumnError: there is none of that name.
    """
    if name in COLUMNS:
        return COLUMNS[name]
    if found := _AT_EPOCH.fullmatch(name):
        return _metric(found[1], found[2], int(found[3]))
    of_tasks = {column.name: column for column in _of_tasks(records)}
    if name in of_tasks:
        return of_tasks[name]
    if any(name in record.options for record in records):
        return Column(name, name, lambda record: record.options.get(name))
    known = ", ".join([*COLUMNS, *of_tasks])
    raise NoSuchColumnError(
        f"no column {legible(name)}; there are {known}, those of an epoch such as "
        "validation_ppl@10 and train_running_ppl@10, and options such as optimizer.lr"
    )


def _of_tasks(records: Sequence[Record]) -> Iterator[Column[Record]]:
    """The columns `exact_match[digits=3]` and `tasks[digits=3]` of each kind of task."""
    for record in records:
        for name, by_number in record.exact_match_by.items():
            for number in by_number:
                kind = f"{name}={number}"
                share, tasks = (_of_kind(name, number, field) for field in ("share", "tasks"))
                yield _exact_match(f"exact_match[{kind}]", f"exact match {kind}", share)
                yield Column(f"tasks[{kind}]", f"tasks {kind}", tasks, whole)
