"""The scalars of a run as a CSV file with one row a step, the same that TensorBoard shows.

A run never reads the file. `checkpoints/last.ckpt` holds the scalars too, for a run that resumes.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
from argparse import Namespace
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers.logger import Logger

from rnnlm.files.atomic_write import replacing
from rnnlm.files.run_files import SCALARS


class ScalarsCSV(Logger):
    """Keeps `scalars.csv` in the run's folder up to date; a new metric adds a column."""

    def __init__(self, save_dir: str | Path) -> None:
        super().__init__()
        self._path = Path(save_dir) / SCALARS
        self._rows: dict[int, dict[str, float]] = {}
        self._columns = ["step", "epoch"]

    def state_dict(self) -> dict[str, Any]:
        """Return all that has been logged."""
        return {"columns": self._columns, "rows": self._rows}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what was logged before, and write the file again."""
        self._columns, self._rows = list(state["columns"]), dict(state["rows"])
        self.save()

    @property
    def name(self) -> str:
        """Nothing: the folder names the run."""
        return ""

    @property
    def version(self) -> str:
        """Nothing: a folder holds one run."""
        return ""

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Add the metrics to the row of their step."""
        step = step or 0
        self._rows.setdefault(step, {"step": step}).update(metrics)
        self._columns += [name for name in metrics if name not in self._columns]

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *_: Any, **__: Any) -> None:
        """Do nothing: the options are in the record."""

    def save(self, durable: bool = False) -> None:
        """Write the whole file again."""
        with (
            replacing(self._path, durable) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, self._columns)
            writer.writeheader()
            writer.writerows(self._rows[step] for step in sorted(self._rows))

    def finalize(self, status: str) -> None:
        """Write the last rows so that they survive a crash of the machine."""
        self.save(durable=True)


def scalars_sha256(folder: Path) -> str | None:
    """Return the hash of a run's `scalars.csv`, as its record holds it; None without a file."""
    with contextlib.suppress(OSError), (folder / SCALARS).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
    return None
