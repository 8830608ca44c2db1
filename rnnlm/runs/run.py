"""One run from its configuration to its record, whether it completes, fails or is stopped."""

from __future__ import annotations

import logging
import signal
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from pytorch_lightning.utilities.exceptions import SIGTERMException

from rnnlm.config import Config, deciding_options, fingerprint, is_baseline
from rnnlm.data import corpora
from rnnlm.data.preparation import CorpusIdentity, PreparedCorpus, prepare
from rnnlm.files.atomic_write import discard
from rnnlm.files.run_files import HYDRA, LOCK, LOG, RECORD, last_checkpoint
from rnnlm.results.record import COMPLETED, FAILED, Record
from rnnlm.runs.baseline_run import measure
from rnnlm.runs.failure import reason
from rnnlm.runs.fit import fit_and_evaluate
from rnnlm.runs.repair import remove_leftovers_of_run, repair
from rnnlm.training.divergence import DivergedError
from rnnlm.training.loggers import open_loggers
from rnnlm.training.resume import Stopped
from rnnlm.training.scalars import scalars_sha256

log = logging.getLogger(__name__)


def load_corpus(config: Config) -> PreparedCorpus:
    """The corpus that the configuration names, read, split and numbered.

    Raises:
        OptionError: the text cannot be had, or is too small for the options.
    """
    return prepare(corpora()[config.data.name](config.data))


def new_record(config: Config, corpus: CorpusIdentity, overrides: Sequence[str]) -> Record:
    """The record of a run that has not completed: what it is, and where it is made."""
    baseline = is_baseline(config)
    return Record(
        status=FAILED,
        data=config.data.name,
        source=config.data.source,
        text_sha256=corpus.text_sha256,
        held_out_sha256=corpus.held_out_sha256,
        vocab_size=corpus.vocab_size,
        model=config.model.name,
        features=None if baseline else config.features.name,
        seed=None if baseline else config.seed,
        fingerprint=fingerprint(config, corpus.identity),
        overrides=list(overrides),
        options=deciding_options(config),
        precision=None if baseline else config.trainer.precision,
        versions=versions(),
        git_revision=git_revision(),
        started_at=now(),
    )


def train(
    config: Config,
    corpus: PreparedCorpus,
    folder: Path,
    overrides: Sequence[str],
    gpu: int | None = None,
) -> Record:
    """Carry out one run in its folder and write its record, whether it completes or fails.

    Where an earlier attempt has left `last.ckpt`, the run goes on from there.

    Args:
        overrides: what was given on the command line, for the record.
        gpu: the index of the GPU, where it trains on one and not just any.

    Raises:
        KeyboardInterrupt, SystemExit: Ctrl-C or SIGTERM has stopped the run; it has no record.
        OSError: the record cannot be written.
    """
    record = new_record(config, CorpusIdentity.of(corpus), overrides)
    record.oov_rate = corpus.oov_rate
    try:
        for removed in repair(folder):
            log.warning("%s", removed)
        remove_leftovers_of_run(folder, of_the_living=True)
        if last_checkpoint(folder).exists():
            discard(folder / RECORD)
        else:
            clear(folder)
        if is_baseline(config):
            measure(config, corpus, record)
        else:
            with open_loggers(config.logger, folder) as loggers:
                fit_and_evaluate(config, corpus, folder, record, loggers, gpu)
        record.status = COMPLETED
    except Stopped as stopped:
        if stopped.signal_number == signal.SIGINT:
            raise KeyboardInterrupt from stopped
        log.info("stopped by %s; the same command goes on with what is left", stopped)
        if stopped.signal_number != signal.SIGTERM:
            # Whoever listens to it now has a run that is saved.
            signal.raise_signal(stopped.signal_number)
        raise SystemExit(128 + stopped.signal_number) from stopped
    except SystemExit as error:
        # Of SIGTERM, by us or by Lightning, once there is nothing to save; the rest is Lightning's
        # answer to Ctrl-C.
        if isinstance(error, SIGTERMException) or error.code == 128 + signal.SIGTERM:
            log.info("stopped by SIGTERM; the same command goes on with what is left")
            raise SystemExit(128 + signal.SIGTERM) from error
        raise KeyboardInterrupt from error
    except Exception as error:
        record.error = reason(error)
        log.error("failed: %s", record.error, exc_info=True)
        if isinstance(error, DivergedError):
            # There is nothing to go on from.
            last_checkpoint(folder).unlink(missing_ok=True)
    record.finished_at = now()
    record.scalars_sha256 = scalars_sha256(folder)
    record.write(folder)
    return record


def clear(folder: Path) -> None:
    """Remove what earlier attempts at the same run have left, but their log and their options."""
    # First what says that there is anything to keep or to go on from, lest a kill leave half of it.
    first = (folder / RECORD, last_checkpoint(folder))
    for path in (*first, *list(folder.iterdir())):
        if path.name not in (LOG, LOCK, HYDRA):
            discard(path)


def versions() -> dict[str, str]:
    """Of what figures depend on."""
    return {
        "rnnlm": version("rnnlm"),
        "torch": version("torch"),
        "lightning": version("pytorch-lightning"),
    }


def git_revision() -> str | None:
    """The revision of the checkout that this package runs from, if it is one."""
    folder = Path(__file__).parent
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def now() -> str:
    """The time as ISO 8601, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
