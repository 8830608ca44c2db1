"""The histories of many runs, by the run's record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rnnlm.results.history import History, ScalarsError, read_history
from rnnlm.results.record import COMPLETED, Record


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
