"""One run, from its specification to its record, whether it completes, fails or is stopped."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

from pytorch_lightning.utilities.exceptions import SIGTERMException

from rnnlm.config import Config
from rnnlm.data import corpora
from rnnlm.data.preparation import PreparedCorpus, prepare
from rnnlm.files.atomic_write import discard
from rnnlm.files.run_files import HYDRA, LOCK, LOG, RECORD, last_checkpoint
from rnnlm.results.record import COMPLETED, Record
from rnnlm.runs.baseline_run import measure_baseline
from rnnlm.runs.failure import may_be_a_neighbours, reason
from rnnlm.runs.fit import fit_and_measure
from rnnlm.runs.provenance import now
from rnnlm.runs.repair import remove_leftovers_of_run, repair
from rnnlm.runs.spec import RunSpec
from rnnlm.signals.exit_status import TERMINATED_STATUS
from rnnlm.signals.stop_request import Stopped
from rnnlm.training.checkpoint_file import CheckpointError
from rnnlm.training.divergence import DivergedError
from rnnlm.training.last_checkpoint import put_aside
from rnnlm.training.scalars import scalars_sha256

log = logging.getLogger(__name__)


def load_corpus(config: Config) -> PreparedCorpus:
    """Read, split and number the corpus that the configuration names.

    Raises:
        OptionError: the text is not available, or is too small for the options.
    """
    return prepare(corpora()[config.data.name](config.data))


def carry_out_run(spec: RunSpec, corpus: PreparedCorpus, gpu: int | None = None) -> Record:
    """Carry out a run in its folder and write its record.

    The run goes on from `last.ckpt` if an earlier attempt has left one.

    Args:
        gpu: the index of the GPU, if it trains on one.

    Raises:
        KeyboardInterrupt, SystemExit: Ctrl-C or SIGTERM has stopped the run; it has no record.
        OSError: the record cannot be written.
        RuntimeError: an error of the GPU that another run on it may have caused; there is no
            record, because the launcher may try the run again by itself.
    """
    record = spec.new_record()
    record.oov_rate = corpus.unknown_rate
    measure = measure_baseline if spec.config.is_baseline else fit_and_measure
    last = last_checkpoint(spec.folder)
    try:
        _prepare(spec.folder)
        try:
            for known in measure(spec, corpus, gpu):
                record = dataclasses.replace(record, **known)
        except CheckpointError as error:
            aside = put_aside(last)
            raise CheckpointError(
                f"{error}; the run's checkpoints are put aside in {aside}, and the same command "
                "starts the run over"
            ) from error
        record.status = COMPLETED
    except Stopped as stopped:
        stopped.end_run()
    except SystemExit as stop:
        # Either SIGTERM before there was anything to save, or Lightning's answer to Ctrl-C.
        if isinstance(stop, SIGTERMException) or stop.code == TERMINATED_STATUS:
            log.info("stopped by SIGTERM; the same command goes on with what is left")
            raise SystemExit(TERMINATED_STATUS) from stop
        raise KeyboardInterrupt from stop
    except Exception as error:
        record.error = reason(error)
        log.error("failed: %s", record.error, exc_info=True)
        if may_be_a_neighbours(error, spec.config.runs_per_gpu):
            raise
        if isinstance(error, DivergedError):
            # An attempt that went on from it would diverge again.
            last.unlink(missing_ok=True)
    record.finished_at = now()
    record.scalars_sha256 = scalars_sha256(spec.folder)
    record.write(spec.folder)
    return record


def clear(folder: Path) -> None:
    """Remove the files of earlier attempts, except the log and Hydra's description of the run."""
    # The record and the checkpoint come first: if the process is killed, no other file remains
    # that seems to belong to them.
    first = (folder / RECORD, last_checkpoint(folder))
    for path in (*first, *folder.iterdir()):
        if path.name not in (LOG, LOCK, HYDRA):
            discard(path)


def _prepare(folder: Path) -> None:
    """Clear the folder for a new attempt, or for the rest of an interrupted one."""
    for removed in repair(folder):
        log.warning("%s", removed)
    remove_leftovers_of_run(folder, include_live_processes=True)
    if last_checkpoint(folder).exists():
        discard(folder / RECORD)
    else:
        clear(folder)
