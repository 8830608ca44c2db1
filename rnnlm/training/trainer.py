"""Build Lightning's Trainer from options that have the Trainer's own names."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path

from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning import Callback, Trainer
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from pytorch_lightning.loggers import Logger

from rnnlm.files.run_files import best_checkpoint
from rnnlm.hardware import has_gpu, requires_gpu, uses_gpu
from rnnlm.options import OptionError, option
from rnnlm.training.checkpoint_file import AtomicCheckpointIO
from rnnlm.training.module import VALIDATION_LOSS


@dataclass
class TrainerConfig:
    """The arguments of `pytorch_lightning.Trainer` that make sense for one run on one device.

    Where a default is not Lightning's own, the comment says why.
    """

    # Losses are summed in float64, which Apple's GPUs (mps) do not have.
    accelerator: str = option("auto", choices=("auto", "cpu", "gpu", "cuda"))
    precision: str = option("32-true", choices=("32-true", "64-true", "bf16-mixed", "16-mixed"))
    # What a GPU rounds the factors of float32 products to, named as in PyTorch: to nothing
    # (highest), or to TensorFloat32 (high, medium), which has 11 bits and is faster.
    float32_matmul_precision: str = option(
        "highest", choices=("highest", "high", "medium"), added_later=True
    )
    # Lightning's 1000 is meant to be overridden.
    max_epochs: int = option(20, minimum=1, maximum=1_000_000)
    min_epochs: int | None = option(None, minimum=1)
    max_steps: int = option(-1, minimum=-1)
    max_time: str | None = None  # DD:HH:MM:SS
    check_val_every_n_epoch: int = option(1, minimum=1)
    accumulate_grad_batches: int = option(1, minimum=1)
    # Recurrent gradients explode; None switches clipping off.
    gradient_clip_val: float | None = option(1.0, above=0)
    gradient_clip_algorithm: str = option("norm", choices=("norm", "value"))
    detect_anomaly: bool = False
    deterministic: bool = False
    profiler: str | None = option(
        None, choices=("simple", "advanced", "pytorch"), affects_result=False
    )
    enable_progress_bar: bool = option(True, affects_result=False)


@dataclass
class EarlyStoppingConfig:
    """Stop after `patience` validations whose loss has not improved by `min_delta`."""

    # None: no early stopping.
    patience: int | None = option(None, minimum=1)
    min_delta: float = option(0.0, minimum=0)


def check_trainer(config: TrainerConfig) -> None:
    """Check options that Lightning would refuse later.

    Raises:
        OptionError: names the option and what it takes.
    """
    if config.max_steps == 0:
        raise OptionError("trainer.max_steps", "0 is no training, it takes -1 or at least 1")
    if config.max_time is not None and not re.fullmatch(r"\d+(:\d\d){3}", config.max_time):
        raise OptionError("trainer.max_time", f"{config.max_time!r} is not of the form DD:HH:MM:SS")
    if config.check_val_every_n_epoch > config.max_epochs:
        raise OptionError(
            "trainer.check_val_every_n_epoch",
            f"{config.check_val_every_n_epoch} is more than trainer.max_epochs, "
            "the run would never be validated",
        )
    if config.min_epochs is not None and config.min_epochs > config.max_epochs:
        raise OptionError("trainer.min_epochs", f"{config.min_epochs} is more than max_epochs")


def check_device(config: TrainerConfig) -> None:
    """Check that this machine has the GPU that the options need.

    Raises:
        OptionError: names the option and what it takes.
    """
    if requires_gpu(config.accelerator) and not has_gpu():
        raise OptionError(
            "trainer.accelerator", f"{config.accelerator} is not on this machine; auto or cpu is"
        )
    if config.precision == "16-mixed" and not has_gpu():
        raise OptionError(
            "trainer.precision", "16-mixed needs a GPU; on a CPU it takes bf16-mixed or 32-true"
        )


def build_trainer(
    config: TrainerConfig,
    early_stopping: EarlyStoppingConfig,
    folder: Path,
    loggers: list[Logger],
    callbacks: list[Callback],
    gpu: int | None = None,
) -> Trainer:
    """Build a Trainer for one device that keeps `checkpoints/best.ckpt` in the run's folder.

    Args:
        gpu: index of the GPU to train on; None leaves the choice to `trainer.accelerator`.
    """
    arguments = dataclasses.asdict(config)
    del arguments["enable_progress_bar"], arguments["float32_matmul_precision"]
    arguments["accelerator"] = "cuda" if uses_gpu(config.accelerator) else "cpu"
    best = best_checkpoint(folder)
    callbacks = [
        # First: it saves the averaged weights before `AverageWeights` takes them out again.
        ModelCheckpoint(
            best.parent,
            best.stem,
            monitor=VALIDATION_LOSS,
            save_weights_only=True,
            enable_version_counter=False,
            # After validation, while the weights that were validated are still in place.
            save_on_train_epoch_end=False,
        ),
        *callbacks,
    ]
    if early_stopping.patience:
        callbacks.append(
            EarlyStopping(
                VALIDATION_LOSS,
                early_stopping.min_delta,
                early_stopping.patience,
                # `max_steps` may stop a run before it is validated for the first time.
                strict=False,
            )
        )
    return Trainer(
        **arguments,
        devices=1 if gpu is None else [gpu],
        # A run is always one process: Lightning must not look for a cluster around it.
        plugins=[LightningEnvironment(), AtomicCheckpointIO()],
        default_root_dir=folder,
        logger=loggers,
        callbacks=callbacks,
        # Lightning's check before training would count as a validation.
        num_sanity_val_steps=0,
        # No metric is logged by the step.
        log_every_n_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
