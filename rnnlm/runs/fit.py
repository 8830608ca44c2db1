"""The run of a network: train it, and measure its best checkpoint on the three splits."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import Logger

from rnnlm.baselines.unigram import unigram_ppl
from rnnlm.data.datamodule import CorpusDataModule
from rnnlm.data.evaluation_batches import evaluation_rule
from rnnlm.data.preparation import PreparedCorpus
from rnnlm.data.texts.splitting import SPLITS, TEST
from rnnlm.evaluation.exact_match import answered, exact_match, exact_match_by
from rnnlm.files.run_files import best_checkpoint, last_checkpoint
from rnnlm.generation.options import GenerationOptions
from rnnlm.generation.writer import Writer
from rnnlm.hardware import device_name, float32_products, peak_memory_mb, reset_peak_memory
from rnnlm.metrics import Metrics
from rnnlm.model.language_model import LanguageModel, num_parameters
from rnnlm.model.product import has_fast_bfloat16
from rnnlm.runs.checkpoint import describe
from rnnlm.runs.hparams import hyperparameters, log_final_metrics, log_hyperparameters
from rnnlm.runs.spec import RunSpec
from rnnlm.training.averaging import AverageWeights
from rnnlm.training.checkpoint_file import read_checkpoint_file, write_checkpoint
from rnnlm.training.last_checkpoint import LastCheckpoint, check_checkpoints, check_owner
from rnnlm.training.loggers import open_loggers
from rnnlm.training.module import TRAIN_RUNNING, LanguageModelModule
from rnnlm.training.progress import ReportProgress
from rnnlm.training.samples import WriteSamples
from rnnlm.training.stopwatch import Stopwatch
from rnnlm.training.trainer import build_trainer

# The length of the sample in a record, in tokens, and the seed of its draws: equal for all models.
SAMPLE_TOKENS, SAMPLE_SEED = 200, 1

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _TrainingSetup:
    """A network, and the objects that train it."""

    module: LanguageModelModule
    data: CorpusDataModule
    trainer: pl.Trainer
    stopwatch: Stopwatch
    write_samples: WriteSamples
    averaging: AverageWeights
    save_last: LastCheckpoint
    # The step that a resumed run goes on from.
    first_step: int | None


def fit_and_measure(
    spec: RunSpec, corpus: PreparedCorpus, gpu: int | None
) -> Iterator[dict[str, Any]]:
    """Carry out the run of a network.

    Args:
        gpu: the index of the GPU, if it trains on one.

    Yields:
        Fields of the run's record, as soon as they are known.

    Raises:
        CheckpointError: a checkpoint that the run needs cannot be used.
    """
    products = spec.config.trainer.float32_matmul_precision
    with open_loggers(spec.config.logger, spec.folder) as loggers, float32_products(products):
        training = _build(spec, corpus, loggers, gpu)
        network = training.module.network
        options = hyperparameters(spec, num_parameters(network))
        log_hyperparameters(loggers, options, training.first_step)
        device = training.trainer.strategy.root_device
        yield {
            "num_parameters": num_parameters(network),
            "device": device_name(device),
            "evaluation": evaluation_rule(corpus.config.batching),
        }
        if device.type == "cuda":
            log.info("on %s; precision of float32 products: %s", device_name(device), products)
            yield {
                "float32_matmul_precision": products,
                "runs_per_gpu": spec.config.runs_per_gpu or 1,
            }
        yield _fit(training, last_checkpoint(spec.folder))
        best = _load_best(training, spec)
        best_epoch = best["epoch"] + 1
        yield {"best_epoch": best_epoch}
        training.trainer.test(training.module, training.data, verbose=False)
        metrics = {name: _metrics(training.module, corpus, name) for name in SPLITS}
        yield {**metrics, **_exact_matches(network, corpus)}
        training.write_samples.write_best(network, best_epoch)
        sample = write_sample(network, corpus)
        yield {"prompt": sample[0], "sample": sample[1]}
        # Lightning counts steps from 0 in its logs.
        log_final_metrics(loggers, options, metrics, sample, best["global_step"] - 1)


def _build(
    spec: RunSpec, corpus: PreparedCorpus, loggers: list[Logger], gpu: int | None
) -> _TrainingSetup:
    """Build the network and its trainer, after a check of the checkpoints to resume from."""
    config, last = spec.config, last_checkpoint(spec.folder)
    first_step = None
    if last.exists():
        first_step = check_checkpoints(last, best_checkpoint(spec.folder), spec.fingerprint)
    pl.seed_everything(config.seed, workers=True, verbose=False)
    network = LanguageModel(len(corpus.vocabulary), config.model, config.features)
    description = describe(config, corpus.tokenizer, spec.fingerprint)
    module = LanguageModelModule(network, config.optimizer, description)
    data = CorpusDataModule(corpus, config.seed)
    stopwatch = Stopwatch()
    averaging = AverageWeights(config.optimizer, module)
    samples = WriteSamples(config.samples, corpus, stopwatch, averaging, spec.folder)
    save_last = LastCheckpoint(last, config.checkpoint)
    trainer = build_trainer(
        config.trainer,
        config.early_stopping,
        spec.folder,
        loggers,
        [stopwatch, ReportProgress(spec.folder), samples, averaging, save_last],
        gpu,
    )
    device = trainer.strategy.root_device
    if config.trainer.precision == "32-true" and has_fast_bfloat16(device):
        log.info(
            "this device has bfloat16 units: trainer.precision=bf16-mixed may double the speed of "
            "a large network (experiments/speed); its loss then differs a little"
        )
    return _TrainingSetup(
        module, data, trainer, stopwatch, samples, averaging, save_last, first_step
    )


def _fit(training: _TrainingSetup, last: Path) -> dict[str, Any]:
    """Train, from the last checkpoint where there is one; return what the record says about it."""
    module, trainer, stopwatch = training.module, training.trainer, training.stopwatch
    resumes = training.first_step is not None
    reset_peak_memory(trainer.strategy.root_device)
    if resumes:
        log.info("going on from step %d", training.first_step)
    with training.save_last.stop_request.listening(), warnings.catch_warnings():
        # The folder of a resumed run is not empty.
        warnings.filterwarnings("ignore", "Checkpoint directory .* exists and is not empty")
        # `trainer.max_steps` may end a run before its first validation.
        warnings.filterwarnings("ignore", ".* could not find the monitored key")
        trainer.fit(module, training.data, ckpt_path=last if resumes else None, weights_only=True)
    return {
        "train_seconds": stopwatch.train_seconds,
        "peak_memory_mb": peak_memory_mb(trainer.strategy.root_device),
        "tokens_per_second": stopwatch.tokens_per_second,
        "epochs": len(module.history[TRAIN_RUNNING]),
        "history": module.history,
    }


def _load_best(training: _TrainingSetup, spec: RunSpec) -> dict[str, Any]:
    """Load the checkpoint with the lowest validation loss into the network, and return it.

    Without any validation it is the last checkpoint, with the averaged weights if there are any.
    """
    module, path = training.module, best_checkpoint(spec.folder)
    savers = training.trainer.checkpoint_callbacks
    # Lightning keeps the path when a run is resumed.
    if not any(isinstance(c, ModelCheckpoint) and c.best_model_path for c in savers):
        checkpoint = read_checkpoint_file(last_checkpoint(spec.folder))
        module.load_state_dict(checkpoint["state_dict"])
        training.averaging.swap()
        # Lightning counts an epoch more if it has saved after the last one.
        epoch = len(module.history[TRAIN_RUNNING]) - 1
        write_checkpoint(checkpoint | {"state_dict": module.state_dict(), "epoch": epoch}, path)
    best = read_checkpoint_file(path)
    check_owner(best, path, spec.fingerprint)
    module.load_state_dict(best["state_dict"])
    return best


def _metrics(module: LanguageModelModule, corpus: PreparedCorpus, name: str) -> dict[str, float]:
    """The metrics of a split, for the record."""
    split, total = corpus.splits[name], module.evaluated[name]
    metrics = Metrics.of(total.nats, total.num_tokens, split.num_chars, split.unknown_nats)
    return {**metrics.to_dict(), "unigram_ppl": unigram_ppl(corpus, name)}


def _exact_matches(network: LanguageModel, corpus: PreparedCorpus) -> dict[str, Any]:
    """The shares of the test split's tasks that are solved; empty if the corpus has no tasks."""
    if corpus.definition.answer_mark is None:
        return {}
    (mark,) = corpus.vocabulary.encode(corpus.definition.answer_mark).tolist()
    right_D = answered(network, corpus.tasks(), mark)
    # The text tells the kind of a task even if one of its tokens is unknown.
    kinds = map(corpus.definition.task_properties, corpus.texts()[TEST])
    return {
        "exact_match": exact_match(right_D),
        "exact_match_by": exact_match_by(right_D, kinds),
    }


def write_sample(network: LanguageModel, corpus: PreparedCorpus) -> tuple[str, str]:
    """Return the beginning of the validation text, and the network's continuation of it."""
    options = GenerationOptions(length=SAMPLE_TOKENS, seed=SAMPLE_SEED)
    *_, last = Writer(network, corpus.vocabulary).stream(corpus.prompt(), options)
    assert last.text is not None
    return last.text.prompt, last.text.text
