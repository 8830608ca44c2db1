"""A completed run measured once more with each help that is asked for: a record for every row.

A row's record stands below its run's folder, and its model is called such as `lstm+cache`.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path

from rnnlm.data.preparation import PreparedCorpus
from rnnlm.data.texts.splitting import TEST
from rnnlm.evaluation.adaptation.measurement import HELD_OUT, Measurement
from rnnlm.evaluation.adaptation.options import (
    AdaptationConfig,
    Row,
    folder_name,
    label,
    options_of,
    rows_of,
)
from rnnlm.files.run_files import ADAPTATION
from rnnlm.hardware import device_name
from rnnlm.results.record import COMPLETED, FAILED, Record, RecordError
from rnnlm.runs.failure import reason
from rnnlm.runs.repair import remove_leftovers_of_run
from rnnlm.runs.run import git_revision, now, versions
from rnnlm.runs.trained_model import load

log = logging.getLogger(__name__)


def row_folder(run: Path, row: Row, config: AdaptationConfig) -> Path:
    """Where a row of a run is."""
    return run / ADAPTATION / folder_name(row, config)


def row_record(run: Path, row: Row, config: AdaptationConfig) -> Record | None:
    """What a row of a run has left, if anything."""
    try:
        return Record.read(row_folder(run, row, config))
    except (OSError, RecordError):
        return None


def row_records(run: Path, config: AdaptationConfig) -> dict[Row, Record | None]:
    """The rows that are asked for, with what each has left."""
    return {row: row_record(run, row, config) for row in rows_of(config)}


def new_row(run: Record, row: Row, config: AdaptationConfig, overrides: Sequence[str]) -> Record:
    """The record of a row that has not been measured: its run's, as far as it goes for the row."""
    return dataclasses.replace(
        run,
        status=FAILED,
        model=f"{run.model}+{label(row)}",
        overrides=list(overrides),
        options={**run.options, **options_of(row, config)},
        adaptation={},
        train=None,
        validation=None,
        test=None,
        exact_match=None,
        exact_match_by={},
        history={},
        prompt=None,
        sample=None,
        scalars_sha256=None,
        tokens_per_second=None,
        train_seconds=None,
        peak_memory_mb=None,
        # Until it has been measured.
        device=None,
        precision=None,
        versions=versions(),
        git_revision=git_revision(),
        started_at=now(),
    )


def measure_rows(
    folder: Path,
    corpus: PreparedCorpus,
    config: AdaptationConfig,
    overrides: Sequence[str],
    device: str = "cpu",
) -> None:
    """Measure the rows of a completed run that are asked for and have not completed.

    Args:
        overrides: what was given on the command line, for the records.

    Raises:
        OSError: a record cannot be written.
    """
    records = row_records(folder, config)
    missing = [row for row, r in records.items() if r is None or r.status != COMPLETED]
    if not missing:
        return
    remove_leftovers_of_run(folder, of_the_living=True)
    run = Record.read(folder)
    assert run.validation is not None
    assert run.test is not None
    measurement: Measurement | None = None
    for row in missing:
        record = new_row(run, row, config, overrides)
        try:
            measurement = measurement or Measurement(load(folder, device).network, corpus, config)
            record.device = device_name(measurement.device)
            record.precision = measurement.precision
            figures, record.adaptation = measurement.figures(row)
            for split in HELD_OUT:
                known = {"unigram_ppl": getattr(run, split)["unigram_ppl"]}
                setattr(record, split, figures[split] | known)
            record.status = COMPLETED
            test_ppl = figures[TEST]["ppl"]
            log.info("%s: test ppl %.4f, %s", record.model, test_ppl, record.adaptation)
        except Exception as error:
            record.error = reason(error)
            log.error("%s failed: %s", record.model, record.error, exc_info=True)
        record.finished_at = now()
        record.write(row_folder(folder, row, config))
