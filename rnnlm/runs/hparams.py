"""The options, final metrics and sample of a run, as its loggers get them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytorch_lightning.loggers import Logger, TensorBoardLogger

from rnnlm.runs.spec import RunSpec
from rnnlm.training.samples import as_markdown


def hyperparameters(spec: RunSpec, num_parameters: int) -> dict[str, Any]:
    """The options of a network's run, as loggers get them.

    TensorBoard's HParams page sorts them by name and shows the first five. The names are chosen
    so that the options that runs are compared by come first.
    """
    compared = {
        "cell": spec.config.model.name,
        "data": spec.config.data.name,
        "features": spec.config.features.name,
        "num_parameters": num_parameters,
    }
    return {**compared, **{f"option.{name}": value for name, value in spec.options.items()}}


def log_hyperparameters(
    loggers: list[Logger], options: dict[str, Any], first_step: int | None
) -> None:
    """Give the loggers the options at the start of a run.

    Args:
        first_step: the step that a resumed run goes on from.
    """
    for logger in loggers:
        if isinstance(logger, TensorBoardLogger):
            # For `hparams.yaml`. The HParams page gets them with the metrics, at the end.
            logger.hparams = options
            # Steps that are done again are logged again; TensorBoard then shows them once.
            logger._kwargs["purge_step"] = first_step  # noqa: SLF001 - nothing public sets it later
        else:
            logger.log_hyperparams(options)


def log_final_metrics(
    loggers: list[Logger],
    options: dict[str, Any],
    metrics: Mapping[str, Mapping[str, float]],
    sample: tuple[str, str],
    step: int,
) -> None:
    """Give the loggers the best checkpoint's metrics, and TensorBoard its HParams entry.

    Args:
        metrics: the metrics of each split.
        sample: a prompt, and the text that the network has written after it.
        step: the step of the best checkpoint.
    """
    logged = {
        # `loss/validation` is a curve over the epochs; the best checkpoint is a single point.
        f"{name}/{'validation_best' if split == 'validation' else split}": of_split[name]
        for name in ("ppl", "bpc", "loss")
        for split, of_split in metrics.items()
    }
    for logger in loggers:
        if isinstance(logger, TensorBoardLogger):
            logger.log_hyperparams(options, logged, step)
            logger.experiment.add_text("sample", as_markdown(*sample), step)
        else:
            logger.log_metrics(logged, step)
