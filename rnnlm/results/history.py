"""A run's curve: what its `scalars.csv` says of each validation, and of each epoch of training."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from rnnlm.files.run_files import SCALARS
from rnnlm.results.record import COMPLETED, Record


class Against(Enum):
    """What a curve is drawn against, by its name on the command line."""

    epoch = "epoch"
    step = "step"
    tokens = "tokens"
    seconds = "seconds"


class Metric(Enum):
    """What a curve shows: loss in nats per token, or ppl, exp of it."""

    loss = "loss"
    ppl = "ppl"


class Measured(Enum):
    """Where it was measured: `running` is on train, with dropout on and the weights moving."""

    validation = "validation"
    running = "train_running"


COSTS = {Against.tokens: "cost/tokens", Against.seconds: "cost/seconds"}
CURVES = tuple(f"{metric.value}/{measured.value}" for metric in Metric for measured in Measured)
VALIDATION_LOSS, RUNNING_LOSS = "loss/validation", "loss/train_running"
# Steps and epochs beyond this are no numbers of a run.
MOST = 2**53
# Beyond it an axis has no room for its margin, and what was measured has diverged.
LARGEST = 1e100


class ScalarsError(ValueError):
    """A `scalars.csv` that is missing, broken, or none of this project."""


@dataclass(frozen=True)
class Point:
    """How far the training had come, and what was measured there.

    Epochs and steps are counted as done, from 1; a validation within an epoch is at a fraction of
    it. Tokens are those trained on, seconds those of training and validation; older runs lack both.
    """

    at: Mapping[Against, float]
    figures: Mapping[str, float]


@dataclass(frozen=True)
class History:
    """The points of a run, in the order of training."""

    points: Sequence[Point]

    def series(
        self, metric: Metric, measured: Measured, against: Against
    ) -> dict[float, tuple[float, float]]:
        """The curve's x and y by the epochs done, wherever both were logged and have a place."""
        name = f"{metric.value}/{measured.value}"
        return {
            point.at[Against.epoch]: (point.at[against], point.figures[name])
            for point in self.points
            if has_a_place(point.at.get(against, math.nan))
            and has_a_place(point.figures.get(name, math.nan))
        }

    def is_whole(self, metric: Metric, measured: Measured) -> bool:
        """Whether every figure of a curve that was logged has a place in it."""
        name = f"{metric.value}/{measured.value}"
        return all(has_a_place(point.figures.get(name, 0.0)) for point in self.points)


def read_history(folder: Path, sha256: str | None = None) -> History:
    """The history in a run's folder.

    Args:
        sha256: of the file as the run has left it, where its record says so.

    Raises:
        ScalarsError: the file is missing, damaged or foreign, or the run was never validated.
    """
    path = folder / SCALARS
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise ScalarsError(f"{path} is no file")
    try:
        content = path.read_bytes()
        if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
            raise ScalarsError(f"{path} is damaged: it is not as the run has left it")
        file = io.StringIO(content.decode("utf-8"), newline="")
        reader = csv.DictReader(file, strict=True)
        names = set(reader.fieldnames or ())
        if not {"step", "epoch"} <= names or names.isdisjoint(CURVES):
            raise ScalarsError(f"{path} is not the scalars of a run")
        points = _points(reader)
    except FileNotFoundError as error:
        raise ScalarsError(f"{path} is missing") from error
    except OSError as error:
        raise ScalarsError(f"{path} cannot be read ({error.strerror})") from error
    except ScalarsError:
        raise
    except (ValueError, csv.Error) as error:
        raise ScalarsError(f"{path} is broken: {error}") from error
    if not any(VALIDATION_LOSS in point.figures for point in points):
        raise ScalarsError(f"{path} holds no validation")
    return History(points)


def _points(rows: Iterable[Mapping[Any, Any]]) -> list[Point]:
    read = sorted(filter(None, map(_row, rows)), key=lambda row: row["step"])
    validated = Counter(row["epoch"] for row in read if VALIDATION_LOSS in row)
    per_epoch = max(validated.values(), default=1)
    so_far: Counter[float] = Counter()
    points = []
    for row in read:
        so_far[row["epoch"]] += VALIDATION_LOSS in row
        # The running loss is that of a whole epoch.
        done = 1 if RUNNING_LOSS in row else so_far[row["epoch"]] / per_epoch
        at = {Against.epoch: row["epoch"] + done, Against.step: row["step"] + 1}
        at |= {against: row[name] for against, name in COSTS.items() if name in row}
        points.append(Point(at, {name: row[name] for name in CURVES if name in row}))
    return points


def _row(text: Mapping[Any, Any]) -> dict[str, float] | None:
    """The numbers of a row of a curve; None for other rows."""
    # `DictReader` files what is too much under None, and None under what is not there.
    if None in text or None in text.values():
        raise ValueError("a row has more or fewer fields than the heading")
    if not any(map(text.get, CURVES)):
        return None
    row = {
        name: float(text[name])
        for name in ("step", "epoch", *CURVES, *COSTS.values())
        if text.get(name)
    }
    for name in ("step", "epoch"):
        if not (row.get(name, -1.0) >= 0 and row[name] < MOST and row[name].is_integer()):
            raise ValueError(f"{text[name]!r} is no {name}")
    return row


class Histories:
    """What the completed networks among some runs have written; `broken` is what cannot be read."""

    def __init__(self, runs: Sequence[tuple[Path, Record]]) -> None:
        """Read `scalars.csv` in each of the runs' folders."""
        # Records are known by their identity, and so are kept here.
        self._found: list[tuple[Record, History]] = []
        self.broken: list[ScalarsError] = []
        for folder, record in runs:
            if record.status == COMPLETED and record.has_epochs:
                try:
                    self._found.append((record, read_history(folder, record.scalars_sha256)))
                except ScalarsError as error:
                    self.broken.append(error)
        self._by_identity = {id(record): history for record, history in self._found}

    def of(self, record: Record) -> History | None:
        """The history of one of the records given, None where it cannot be read."""
        return self._by_identity.get(id(record))


def has_a_place(value: float) -> bool:
    """Whether a number is finite, and not so large that it is as good as infinite."""
    return abs(value) <= LARGEST
