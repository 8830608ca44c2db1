"""One run from its configuration to its record: train, choose the best checkpoint, evaluate."""

from __future__ import annotations

import logging
import shutil
import signal
import subprocess
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from hydra.utils import instantiate
from pytorch_lightning.loggers import Logger, TensorBoardLogger

from rnnlm import __version__
from rnnlm.config import Config, fingerprint
from rnnlm.data import corpora
from rnnlm.data.corpus import Corpus
from rnnlm.data.splitting import SPLITS
from rnnlm.divergence import DivergedError
from rnnlm.exact_match import exact_match
from rnnlm.failure import reason
from rnnlm.last_checkpoint import (
    LastCheckpoint,
    Stopped,
    check_checkpoint,
    stopping_on_signals,
)
from rnnlm.lock import LOCK_NAME
from rnnlm.memory import peak_memory_mb, reset_peak_memory
from rnnlm.metrics import Metrics, perplexity, unigram_nats
from rnnlm.model.language_model import LanguageModel, num_parameters
from rnnlm.model.product import has_fast_bfloat16
from rnnlm.module import LanguageModelModule
from rnnlm.options import result_options
from rnnlm.progress import ReportProgress
from rnnlm.results.record import COMPLETED, FAILED, Record
from rnnlm.results.record import FILE_NAME as RECORD_NAME
from rnnlm.stopwatch import Stopwatch
from rnnlm.trainer import best_checkpoint, build_trainer, last_checkpoint

LOG_NAME = "run.log"

log = logging.getLogger(__name__)


def load_corpus(config: Config) -> Corpus:
    """The corpus that the configuration names, read, split and numbered.

    Raises:
        OptionError: the text cannot be had, or is too small for the options.
    """
    corpus = corpora()[config.data.name](config.data, config.seed)
    corpus.setup()
    return corpus


def new_record(config: Config, identity: str, text_sha256: str, overrides: Sequence[str]) -> Record:
    """The record of a run that has not completed: what it is, and where it is made.

    Args:
        identity: of the corpus.
    """
    return Record(
        status=FAILED,
        data=config.data.name,
        source=config.data.source,
        text_sha256=text_sha256,
        model=config.model.cell,
        features=config.features.name,
        seed=config.seed,
        fingerprint=fingerprint(config, identity),
        overrides=list(overrides),
        precision=config.trainer.precision,
        versions={
            "rnnlm": __version__,
            "torch": version("torch"),
            "lightning": version("pytorch-lightning"),
        },
        git_revision=git_revision(),
        started_at=now(),
    )


def train(
    config: Config,
    corpus: Corpus,
    folder: Path,
    overrides: Sequence[str],
    gpu: int | None = None,
) -> Record:
    """Train one run in its folder and write its record, whether it completes or fails.

    Where an earlier attempt has left `last.ckpt`, the run goes on from there.

    Args:
        overrides: what was given on the command line, for the record.
        gpu: the index of the GPU, where it trains on one and not just any.

    Raises:
        KeyboardInterrupt, SystemExit: Ctrl-C or SIGTERM has stopped the run; it has no record.
        OSError: the record cannot be written.
    """
    record = new_record(config, corpus.identity, corpus.text_sha256, overrides)
    try:
        if last_checkpoint(folder).exists():
            (folder / RECORD_NAME).unlink(missing_ok=True)
        else:
            clear(folder)
        fit_and_evaluate(config, corpus, folder, record, gpu)
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
        # Lightning's answer to Ctrl-C.
        raise KeyboardInterrupt from error
    except Exception as error:
        record.error = reason(error)
        log.error("failed: %s", record.error, exc_info=True)
        if isinstance(error, DivergedError):
            # There is nothing to go on from.
            last_checkpoint(folder).unlink(missing_ok=True)
    record.finished_at = now()
    record.write(folder)
    return record


def clear(folder: Path) -> None:
    """Remove what earlier attempts at the same run have left, but their log and their options."""
    for path in folder.iterdir():
        if path.name not in (LOG_NAME, LOCK_NAME, ".hydra"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def fit_and_evaluate(
    config: Config, corpus: Corpus, folder: Path, record: Record, gpu: int | None
) -> None:
    """Train, load the best checkpoint by validation loss, and measure it on the three splits."""
    last = last_checkpoint(folder)
    started_at_step = check_checkpoint(last, record.fingerprint) if last.exists() else None
    pl.seed_everything(config.seed, workers=True, verbose=False)
    network = LanguageModel(len(corpus.vocabulary), config.model, config.features)
    module = LanguageModelModule(network, config.optimizer)
    record.num_parameters = num_parameters(network)
    record.vocab_size = len(corpus.vocabulary)
    record.oov_rate = corpus.oov_rate
    stopwatch = Stopwatch()
    loggers: list[Logger] = [
        instantiate(logger, save_dir=folder) for logger in config.logger.values()
    ]
    for logger in loggers:
        if isinstance(logger, TensorBoardLogger):
            # For its `hparams.yaml`; the HParams page gets them with the metrics, at the end.
            logger.hparams = hyperparameters(config, record)
            # What is done again is logged again, and shown once.
            logger._kwargs["purge_step"] = started_at_step
    keeping = LastCheckpoint(last, config.checkpoint.every_n_train_steps, record.fingerprint)
    trainer = build_trainer(
        config.trainer,
        config.early_stopping,
        folder,
        loggers,
        [stopwatch, ReportProgress(folder), keeping],
        gpu,
    )
    record.device = device_name(trainer.strategy.root_device)
    if config.trainer.precision == "32-true" and has_fast_bfloat16(trainer.strategy.root_device):
        log.info(
            "this device has bfloat16 units: trainer.precision=bf16-mixed may double the speed of "
            "a large network (experiments/speed); its loss then differs a little"
        )

    reset_peak_memory(trainer.strategy.root_device)
    if started_at_step is not None:
        log.info("going on from step %d", started_at_step)
    with stopping_on_signals(keeping), warnings.catch_warnings():
        # Of a run that goes on it is not.
        warnings.filterwarnings("ignore", "Checkpoint directory .* exists and is not empty")
        trainer.fit(
            module,
            corpus,
            ckpt_path=last if started_at_step is not None else None,
            weights_only=True,
        )
    record.train_seconds = stopwatch.train_seconds
    record.peak_memory_mb = peak_memory_mb(trainer.strategy.root_device)
    record.tokens_per_second = stopwatch.tokens_per_second
    record.epochs = trainer.current_epoch

    # `trainer.max_steps` may stop a run before it is validated for the first time.
    chosen = best_checkpoint(folder)
    chosen = chosen if chosen.exists() else last
    best = torch.load(chosen, map_location="cpu", weights_only=True)
    module.load_state_dict(best["state_dict"])
    record.best_epoch = best["epoch"] + 1
    trainer.test(module, corpus, verbose=False)
    for name in SPLITS:
        split, total = corpus.splits[name], module.evaluated[name]
        metrics = Metrics.of(total.nats, total.num_tokens, split.num_chars, split.unknown_nats)
        setattr(record, name, {**metrics.to_dict(), "unigram_ppl": unigram_ppl(corpus, name)})
    if corpus.answer_mark is not None:
        (mark,) = corpus.vocabulary.encode(corpus.answer_mark).tolist()
        record.exact_match = exact_match(network, corpus.tasks(), mark)
    # Lightning numbers steps from 0 in what it logs.
    log_final_metrics(config, record, loggers, best["global_step"] - 1)


def unigram_ppl(corpus: Corpus, split: str) -> float:
    """Perplexity of the unigram model of the training text on a split."""
    held_out_N = corpus.splits[split].predicted_N
    nats = unigram_nats(corpus.splits["train"].predicted_N, held_out_N, len(corpus.vocabulary))
    return perplexity(nats / len(held_out_N))


def log_final_metrics(config: Config, record: Record, loggers: list[Logger], step: int) -> None:
    """Give the loggers the best checkpoint's metrics, and TensorBoard its HParams entry."""
    metrics: dict[str, float] = {}
    for metric in ("ppl", "bpc", "loss"):
        for name in SPLITS:
            # `loss/validation` is the curve over the epochs; the chosen checkpoint is one point.
            tag = "validation_best" if name == "validation" else name
            metrics[f"{metric}/{tag}"] = getattr(record, name)[metric]
    options = hyperparameters(config, record)
    for logger in loggers:
        if isinstance(logger, TensorBoardLogger):
            logger.log_hyperparams(options, metrics, step)
        else:
            logger.log_metrics(metrics, step)
            logger.log_hyperparams(options)
        logger.finalize("success")


def hyperparameters(config: Config, record: Record) -> dict[str, Any]:
    """The options as loggers get them.

    TensorBoard's HParams page sorts them by name and shows the first five: what is compared is
    named so that it comes first.
    """
    compared = {
        "cell": record.model,
        "data": record.data,
        "features": record.features,
        "num_parameters": record.num_parameters,
    }
    options = result_options(config)
    return {**compared, **{f"option.{name}": value for name, value in options.items()}}


def device_name(device: torch.device) -> str:
    """`cpu`, or the name of the GPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


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
