"""What loggers get when a run ends: the chosen checkpoint's metrics, options, and a sample."""

from __future__ import annotations

from typing import Any

from pytorch_lightning.loggers import Logger, TensorBoardLogger

from rnnlm.config import Config, deciding_options
from rnnlm.data.texts.splitting import SPLITS
from rnnlm.results.record import Record
from rnnlm.training.samples import as_markdown


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
            if record.prompt is not None and record.sample is not None:
                shown = as_markdown(record.prompt, record.sample)
                logger.experiment.add_text("sample", shown, step)
        else:
            logger.log_metrics(metrics, step)


def hyperparameters(config: Config, record: Record) -> dict[str, Any]:
    """The options as loggers get them.

    TensorBoard's HParams page sorts them by name and shows the first five: what is compared is
    named so that it comes first.
    """
    compared = {
        "cell": record.model,
        "data": record.data,
        "features": record.features or "",
        "num_parameters": record.num_parameters,
    }
    options = deciding_options(config)
    return {**compared, **{f"option.{name}": value for name, value in options.items()}}
