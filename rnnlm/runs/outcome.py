"""The records that a run has left so far, and the record of a failure that it could not write."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rnnlm.evaluation.adaptation.options import AdaptationVariant
from rnnlm.files.lock import lock_run_folder
from rnnlm.results.record import COMPLETED, Record, RecordError
from rnnlm.runs.provenance import now
from rnnlm.runs.spec import RunSpec


@dataclass
class Outcome:
    """The outcome of a run so far, read from its folder."""

    spec: RunSpec
    # The record of a failure that could not be written to the folder.
    unwritten: Record | None = None

    def record(self) -> Record | None:
        """The record of the run; None if there is none that can be read."""
        return self.unwritten or _read(self.spec.folder)

    def records(self) -> list[Record]:
        """The records of the run and of its adaptation variants."""
        records = [self.record(), *map(_read, self.spec.variant_folders.values())]
        return [record for record in records if record is not None]

    def unreadable(self) -> list[str]:
        """One line for each record of the run and its variants that cannot be read."""
        problems = []
        for folder in (self.spec.folder, *self.spec.variant_folders.values()):
            try:
                Record.read(folder)
            except FileNotFoundError:
                continue
            except RecordError as error:
                problems.append(str(error))
        return problems

    def run_has_completed(self) -> bool:
        """Return True if the run itself has completed, whatever its adaptation variants did."""
        return _has_completed(self.record())

    def has_completed(self) -> bool:
        """Return True if the run and all its adaptation variants have completed."""
        return self.run_has_completed() and not missing_variants(self.spec)

    def fail(self, error: str) -> None:
        """Record that the run has failed, in place of a process that could not do so itself.

        If the run itself has completed, its first missing adaptation variant has failed. A run that
        another process is carrying out, or has completed, keeps its record.
        """
        spec, failed = self.spec, self.spec.new_record()
        failed.error, failed.finished_at = error, now()
        try:
            spec.folder.mkdir(parents=True, exist_ok=True)
            with lock_run_folder(spec.folder) as is_ours:
                if not is_ours:
                    return
                if not self.run_has_completed():
                    failed.write(spec.folder)
                elif missing := missing_variants(spec):
                    record = spec.new_variant_record(Record.read(spec.folder), missing[0])
                    record.error, record.finished_at = error, failed.finished_at
                    record.write(spec.variant_folders[missing[0]])
        except (OSError, ValueError):
            # ValueError: a name that is no Unicode, which a file in UTF-8 cannot hold.
            self.unwritten = failed


def first_error(records: Iterable[Record]) -> str | None:
    """The error of the run, or else of one of its adaptation variants."""
    return next((record.error for record in records if record.error), None)


def missing_variants(spec: RunSpec) -> list[AdaptationVariant]:
    """The adaptation variants of a run that have not completed."""
    folders = spec.variant_folders.items()
    return [variant for variant, folder in folders if not _has_completed(_read(folder))]


def _has_completed(record: Record | None) -> bool:
    return record is not None and record.status == COMPLETED


def _read(folder: Path) -> Record | None:
    try:
        return Record.read(folder)
    except (OSError, RecordError):
        return None
