"""The history of a run: the metrics of each epoch and each validation, from `scalars.csv`."""

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


class XAxis(Enum):
    """The x axis of a curve, by its name on the command line."""

    epoch = "epoch"
    step = "step"
    tokens = "tokens"
    seconds = "seconds"


class Metric(Enum):
    """The y axis of a curve: the loss in nats per token, or ppl, which is exp of it."""

    loss = "loss"
    ppl = "ppl"


class CurveSplit(Enum):
    """The split of a curve: `running` is train, with dropout on, while the weights change."""

    validation = "validation"
    running = "train_running"


# The columns of the file.
COSTS = {XAxis.tokens: "cost/tokens", XAxis.seconds: "cost/seconds"}
CURVES = tuple(f"{metric.value}/{measured.value}" for metric in Metric for measured in CurveSplit)
VALIDATION_LOSS, RUNNING_LOSS = "loss/validation", "loss/train_running"
# No run has more steps or epochs.
MOST = 2**53
# An axis has no margin beyond larger numbers, and a metric as large has diverged.
LARGEST = 1e100


class ScalarsError(ValueError):
    """A `scalars.csv` that is missing, damaged, or not written by this package."""


@dataclass(frozen=True)
class Point:
    """The progress of a training at one time, and the metrics at that time.

    Epochs and steps are counted as done, from 1; a validation within an epoch is at a fraction of
    it. Tokens are those trained on, and seconds those of training and validation. Older runs lack
    both.
    """

    at: Mapping[XAxis, float]
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class History:
    """The points of a run, in the order of training."""

    points: Sequence[Point]

    def series(
        self, metric: Metric, measured: CurveSplit, against: XAxis
    ) -> dict[float, tuple[float, float]]:
        """Return (x, y) of a curve by the epochs done, if both are logged and can be drawn."""
        name = f"{metric.value}/{measured.value}"
        return {
            point.at[XAxis.epoch]: (point.at[against], point.metrics[name])
            for point in self.points
            if can_be_drawn(point.at.get(against, math.nan))
            and can_be_drawn(point.metrics.get(name, math.nan))
        }

    def is_whole(self, metric: Metric, measured: CurveSplit) -> bool:
        """Tell whether every logged value of a curve can be drawn."""
        name = f"{metric.value}/{measured.value}"
        return all(can_be_drawn(point.metrics.get(name, 0.0)) for point in self.points)


def read_history(folder: Path, sha256: str | None = None) -> History:
    """Return the history in a run's folder.

    Args:
        sha256: the hash of the file by the run's record; older records have none.

    Raises:
        ScalarsError: the file is missing, damaged or foreign, or the run was never validated.
    """
    path = folder / SCALARS
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise ScalarsError(f"{path} is not a file")
    try:
        content = path.read_bytes()
        if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
            raise ScalarsError(f"{path} is damaged: it has changed since the run")
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
        raise ScalarsError(f"{path} is damaged: {error}") from error
    if not any(VALIDATION_LOSS in point.metrics for point in points):
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
        at = {XAxis.epoch: row["epoch"] + done, XAxis.step: row["step"] + 1}
        at |= {against: row[name] for against, name in COSTS.items() if name in row}
        points.append(Point(at, {name: row[name] for name in CURVES if name in row}))
    return points


def _row(text: Mapping[Any, Any]) -> dict[str, float] | None:
    """Return the numbers of a row, or None if it holds no point of a curve."""
    # `DictReader` puts surplus fields under the key None, and None in place of missing fields.
    if None in text or None in text.values():
        raise ValueError("a row has more or fewer fields than the heading")
    if not any(map(text.get, CURVES)):
        return None
    names = ("step", "epoch", *CURVES, *COSTS.values())
    row = {name: float(text[name]) for name in names if text.get(name)}
    for name in ("step", "epoch"):
        if not (row.get(name, -1.0) >= 0 and row[name] < MOST and row[name].is_integer()):
            raise ValueError(f"{text[name]!r} is not the number of a {name}")
    return row


class Histories:
    """The histories of the completed networks among some runs.

    `broken` holds the errors of those that cannot be read.
    """

    def __init__(self, runs: Sequence[tuple[Path, Record]]) -> None:
        """Read `scalars.csv` in the folder of each run."""
        # Records are looked up by their identity, so they must not be freed.
        self._runs = runs
        self._found: dict[int, History] = {}
        self.broken: list[ScalarsError] = []
        for folder, record in runs:
            if record.status == COMPLETED and record.is_trained_network:
                try:
                    self._found[id(record)] = read_history(folder, record.scalars_sha256)
                except ScalarsError as error:
                    self.broken.append(error)

    def of(self, record: Record) -> History | None:
        """Return the history of one of the records, or None if it cannot be read."""
        return self._found.get(id(record))


def can_be_drawn(value: float) -> bool:
    """Return True if an axis can show a number: it is at most LARGEST in size."""
    return abs(value) <= LARGEST
