"""Training a network: fit, choose the best checkpoint, measure it on the three splits."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import Logger, TensorBoardLogger

from rnnlm.baselines.unigram import unigram_ppl
from rnnlm.config import Config
from rnnlm.data.datamodule import CorpusDataModule
from rnnlm.data.preparation import PreparedCorpus
from rnnlm.data.texts.splitting import SPLITS, TEST
from rnnlm.evaluation.exact_match import answered, exact_match, exact_match_by
from rnnlm.files.run_files import best_checkpoint, last_checkpoint
from rnnlm.generation.options import GenerationOptions
from rnnlm.generation.writer import Writer
from rnnlm.hardware import device_name, peak_memory_mb, reset_peak_memory
from rnnlm.metrics import Metrics
from rnnlm.model.language_model import LanguageModel, num_parameters
from rnnlm.model.product import has_fast_bfloat16
from rnnlm.results.record import Record
from rnnlm.runs.checkpoint import describe
from rnnlm.runs.hparams import hyperparameters, log_final_metrics
from rnnlm.training.checkpoint_file import CheckpointError, read_checkpoint_file, write_checkpoint
from rnnlm.training.module import TRAIN_RUNNING, LanguageModelModule
from rnnlm.training.progress import ReportProgress
from rnnlm.training.resume import (
    LastCheckpoint,
    check_checkpoints,
    check_owner,
    put_aside,
    stopping_on_signals,
)
from rnnlm.training.samples import WriteSamples
from rnnlm.training.stopwatch import Stopwatch
from rnnlm.training.trainer import build_trainer

# How many tokens of a sample are written, and the seed of their draws: the same for every model.
SAMPLE_TOKENS, SAMPLE_SEED = 200, 1

log = logging.getLogger(__name__)


def fit_and_evaluate(
    config: Config,
    corpus: PreparedCorpus,
    folder: Path,
    record: Record,
    loggers: list[Logger],
    gpu: int | None,
) -> None:
    """Train, load the best checkpoint by validation loss, and measure it on the three splits.

    Raises:
        CheckpointError: a checkpoint that the run needs cannot be used; it is put aside, so that
            the run starts over when it is tried again.
    """
    try:
        _fit_and_evaluate(config, corpus, folder, record, loggers, gpu)
    except CheckpointError as error:
        raise put_aside(last_checkpoint(folder), error) from error


def _fit_and_evaluate(
    config: Config,
    corpus: PreparedCorpus,
    folder: Path,
    record: Record,
    loggers: list[Logger],
    gpu: int | None,
) -> None:
    last, chosen = last_checkpoint(folder), best_checkpoint(folder)
    started_at_step = check_checkpoints(last, chosen, record.fingerprint) if last.exists() else None
    pl.seed_everything(config.seed, workers=True, verbose=False)
    network = LanguageModel(len(corpus.vocabulary), config.model, config.features)
    data = CorpusDataModule(corpus, config.seed)
    described = describe(config, corpus.tokenizer, record.fingerprint)
    module = LanguageModelModule(network, config.optimizer, described)
    record.num_parameters = num_parameters(network)
    stopwatch = Stopwatch()
    for logger in loggers:
        if isinstance(logger, TensorBoardLogger):
            # For its `hparams.yaml`; the HParams page gets them with the metrics, at the end.
            logger.hparams = hyperparameters(config, record)
            # What is done again is logged again, and shown once.
            logger._kwargs["purge_step"] = started_at_step
        else:
            logger.log_hyperparams(hyperparameters(config, record))
    samples = WriteSamples(config.samples, corpus, stopwatch, folder)
    keeping = LastCheckpoint(last, config.checkpoint.every_n_train_steps)
    trainer = build_trainer(
        config.trainer,
        config.early_stopping,
        folder,
        loggers,
        [
            stopwatch,
            ReportProgress(folder),
            samples,
            keeping,
        ],
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
        # `trainer.max_steps` may stop a run before it is validated for the first time.
        warnings.filterwarnings("ignore", ".* could not find the monitored key")
        trainer.fit(
            module,
            data,
            ckpt_path=last if started_at_step is not None else None,
            weights_only=True,
        )
    record.train_seconds = stopwatch.train_seconds
    record.peak_memory_mb = peak_memory_mb(trainer.strategy.root_device)
    record.tokens_per_second = stopwatch.tokens_per_second
    record.epochs = len(module.history[TRAIN_RUNNING])
    record.history = module.history

    if not has_chosen(trainer):
        choose_last(module, last, chosen)
    best = read_checkpoint_file(chosen)
    check_owner(best, chosen, record.fingerprint)
    module.load_state_dict(best["state_dict"])
    record.best_epoch = best["epoch"] + 1
    trainer.test(module, data, verbose=False)
    for name in SPLITS:
        split, total = corpus.splits[name], module.evaluated[name]
        metrics = Metrics.of(total.nats, total.num_tokens, split.num_chars, split.unknown_nats)
        setattr(
            record,
            name,
            {
                **metrics.to_dict(),
                "unigram_ppl": unigram_ppl(
                    corpus.splits["train"].predicted_N, split.predicted_N, len(corpus.vocabulary)
                ),
            },
        )
    if (answer_mark := corpus.definition.answer_mark) is not None:
        (mark,) = corpus.vocabulary.encode(answer_mark).tolist()
        right_D = answered(network, corpus.tasks(), mark)
        record.exact_match = exact_match(right_D)
        # Of the text, as a token may be unknown.
        record.exact_match_by = exact_match_by(
            right_D, map(corpus.definition.kinds, corpus.texts()[TEST])
        )
    samples.write_chosen(network, record.best_epoch)
    record.prompt, record.sample = write_sample(network, corpus)
    # Lightning numbers steps from 0 in what it logs.
    log_final_metrics(config, record, loggers, best["global_step"] - 1)


def has_chosen(trainer: pl.Trainer) -> bool:
    """Whether a validation has chosen a checkpoint, in this attempt at the run or before."""
    choosing = [c for c in trainer.checkpoint_callbacks if isinstance(c, ModelCheckpoint)]
    return any(callback.best_model_path for callback in choosing)


def choose_last(module: LanguageModelModule, last: Path, best: Path) -> None:
    """Take a run's last weights, or their average, for its best: it was never validated."""
    checkpoint = read_checkpoint_file(last)
    module.load_state_dict(checkpoint["state_dict"])
    module.swap_average()
    write_checkpoint(checkpoint | {"state_dict": module.state_dict()}, best)


def write_sample(network: LanguageModel, corpus: PreparedCorpus) -> tuple[str, str]:
    """The beginning of the validation text, and what the model goes on with."""
    options = GenerationOptions(length=SAMPLE_TOKENS, seed=SAMPLE_SEED)
    *_, last = Writer(network, corpus.vocabulary).stream(corpus.prompt(), options)
    assert last.text is not None
    return last.text.prompt, last.text.text
