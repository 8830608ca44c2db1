"""The scalars of a run as a CSV file, one row a step: the same that TensorBoard shows."""

from __future__ import annotations

import csv
from argparse import Namespace
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers.logger import Logger

from rnnlm.atomic_write import replacing

FILE_NAME = "scalars.csv"


class ScalarsCSV(Logger):
    """Keeps `scalars.csv` in the run's folder up to date; columns come as metrics appear."""

    def __init__(self, save_dir: str | Path) -> None:
        super().__init__()
        self._path = Path(save_dir) / FILE_NAME
        self._rows: dict[int, dict[str, float]] = {}
        self._columns = ["step", "epoch"]
        if self._path.exists():
            self._read()

    def _read(self) -> None:
        """A run that goes on adds to what it has logged; what it does again it logs again."""
        with self._path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            self._columns = list(reader.fieldnames or self._columns)
            for row in reader:
                known = {name: _number(value) for name, value in row.items() if value}
                self._rows[int(row["step"])] = known

    @property
    def name(self) -> str:
        """The run is named by its folder."""
        return ""

    @property
    def version(self) -> str:
        """A folder holds one run."""
        return ""

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Add the metrics to the row of their step."""
        step = step or 0
        self._rows.setdefault(step, {"step": step}).update(metrics)
        self._columns += [name for name in metrics if name not in self._columns]

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *_: Any, **__: Any) -> None:
        """Options are in the record."""

    def save(self) -> None:
        """Write the file anew, whole."""
        with (
            replacing(self._path, durable=False) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, self._columns)
            writer.writeheader()
            writer.writerows(self._rows[step] for step in sorted(self._rows))

    def finalize(self, status: str) -> None:
        """Write what came last."""
        self.save()


def _number(text: str) -> float:
    return int(text) if text.isdigit() else float(text)
