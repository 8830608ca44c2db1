"""`checkpoints/last.ckpt`: what an interrupted run needs to continue with the same numbers.

- Lightning saves the weights, the optimizer, its schedule, the counts of the loops and the states
  of the callbacks.
- `LanguageModelModule` saves the carried state and the totals so far.
- The batches save their position in the epoch.
- `LastCheckpoint` saves the random states.

So on a CPU, an interrupted run gives the same metrics to the last bit as an uninterrupted one. What
it has done since the last save is done again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint, ModelCheckpoint

from rnnlm.data.batching import Batches
from rnnlm.files.atomic_write import discard
from rnnlm.options import option
from rnnlm.signals.stop_request import StopRequest
from rnnlm.training.checkpoint_file import CheckpointError, read_checkpoint_file
from rnnlm.training.module import FINGERPRINT
from rnnlm.training.scalars import ScalarsCSV

_RANDOM_STATES, _SHOULD_STOP, _SCALARS = "random_states", "should_stop", "scalars"
# Entries without which a run cannot go on.
_NEEDED = {"state_dict", "callbacks", "loops", "optimizer_states", "lr_schedulers"}
_NEEDED |= {"train_state", "train_total", "history", _RANDOM_STATES, _SHOULD_STOP, _SCALARS}


@dataclass
class CheckpointConfig:
    """When a run saves `last.ckpt`, besides the end of training and a signal that stops it."""

    # Seconds; 0 saves after every step.
    train_time_interval: float = option(60.0, minimum=0, affects_result=False)
    # None: by the clock alone.
    every_n_train_steps: int | None = option(None, minimum=1, affects_result=False)


class LastCheckpoint(Checkpoint):
    """Writes `last.ckpt`, and then stops the run if a signal has asked for it.

    At the last batch of an epoch it waits for the epoch's end, which comes after validation. After
    SIGTERM it does not wait for a long validation.
    """

    def __init__(self, path: Path, config: CheckpointConfig) -> None:
        self._path, self._config = path, config
        self._random_states: dict[str, Any] | None = None
        self._should_stop = False
        self._place: dict[str, int] | None = None
        self._saved_step, self._saved_time = 0, 0.0
        self.stop_request = StopRequest()

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        device = pl_module.device
        checkpoint[_RANDOM_STATES] = {
            "cpu": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        }
        # Lightning forgets that a run was to stop early.
        checkpoint[_SHOULD_STOP] = trainer.should_stop
        checkpoint[_SCALARS] = [logger.state_dict() for logger in _scalars_csv(trainer)]

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        self._random_states = checkpoint[_RANDOM_STATES]
        self._should_stop = checkpoint[_SHOULD_STOP]
        for logger, state in zip(_scalars_csv(trainer), checkpoint[_SCALARS], strict=False):
            logger.load_state_dict(state)
        _use_present_folder(checkpoint["callbacks"], self._path.parent)
        (self._place,) = checkpoint["loops"]["fit_loop"]["state_dict"]["combined_loader"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._saved_step, self._saved_time = trainer.global_step, time.monotonic()
        if self._place is not None and isinstance(trainer.train_dataloader, Batches):
            # Lightning skips this, because build_schedule has already loaded the dataloader.
            trainer.train_dataloader.load_state_dict(self._place)
        if self._random_states is not None:
            torch.set_rng_state(self._random_states["cpu"])
            if self._random_states["cuda"] is not None and pl_module.device.type == "cuda":
                torch.cuda.set_rng_state(self._random_states["cuda"], pl_module.device)
        trainer.should_stop = trainer.should_stop or self._should_stop
        self.stop_request.restore_sigterm_handler()
        self.stop_request.fulfil()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, index: int
    ) -> None:
        if not self._should_save(trainer):
            return
        last = index + 1 >= trainer.num_training_batches or trainer.fit_loop.epoch_loop.done
        accumulating = (index + 1) % trainer.accumulate_grad_batches != 0
        if not (last or accumulating):
            self._save(trainer)
            self.stop_request.fulfil()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # The loggers have the epoch's metrics by now, but Lightning has not finished the epoch: a
        # run that is to stop does so when the next one starts.
        if self._should_save(trainer):
            self._save(trainer)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # A signal that has come since the epoch's end waits for a batch, after which it is saved.
        if self._has_saved(trainer):
            self.stop_request.fulfil()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not self._has_saved(trainer):
            self._save(trainer)
        self.stop_request.fulfil()

    def on_validation_batch_end(self, *_: Any, **__: Any) -> None:
        # What is not saved is done again when the run goes on.
        if self.stop_request.is_overdue:
            self.stop_request.fulfil()

    def _should_save(self, trainer: Trainer) -> bool:
        every_n_steps = self._config.every_n_train_steps
        return (
            self.stop_request.signal_number is not None
            or time.monotonic() - self._saved_time >= self._config.train_time_interval
            or (
                every_n_steps is not None
                and trainer.global_step - self._saved_step >= every_n_steps
            )
        )

    def _has_saved(self, trainer: Trainer) -> bool:
        """Tell whether the last step is saved."""
        return trainer.global_step == self._saved_step

    def _save(self, trainer: Trainer) -> None:
        trainer.save_checkpoint(self._path, weights_only=False)
        self._saved_step, self._saved_time = trainer.global_step, time.monotonic()


def _scalars_csv(trainer: Trainer) -> list[ScalarsCSV]:
    return [logger for logger in trainer.loggers if isinstance(logger, ScalarsCSV)]


def _use_present_folder(callbacks: dict[str, Any], folder: Path) -> None:
    """Replace the folder in the paths of Lightning's ModelCheckpoint by the present one.

    Otherwise it would forget the best epoch if the run's folder has been moved.
    """

    def moved(path: str) -> str:
        return str(folder.resolve() / Path(path).name) if path else path

    for state in _model_checkpoints(callbacks):
        state["dirpath"] = str(folder.resolve())
        state["best_model_path"] = moved(state["best_model_path"])
        state["kth_best_model_path"] = moved(state["kth_best_model_path"])
        state["best_k_models"] = {moved(p): v for p, v in state["best_k_models"].items()}


def _model_checkpoints(callbacks: dict[str, Any]) -> list[dict[str, Any]]:
    """The states of Lightning's ModelCheckpoint among those of all callbacks."""
    prefix = ModelCheckpoint.__name__
    return [state for name, state in callbacks.items() if name.startswith(prefix)]


def check_checkpoints(last: Path, best: Path, fingerprint: str) -> int:
    """Check that an interrupted run can go on, and return the step from which it does.

    Raises:
        CheckpointError: `last.ckpt`, or the `best.ckpt` that validation has chosen so far, is
            damaged, or belongs to another run or an earlier version.
    """
    checkpoint = read_checkpoint_file(last)
    check_owner(checkpoint, last, fingerprint)
    if missing := sorted(_NEEDED - checkpoint.keys()):
        raise CheckpointError(
            f"{last} is of another version of rnnlm (it has no {missing[0]!r}): a run cannot go on "
            "from it"
        )
    if any(state["best_model_path"] for state in _model_checkpoints(checkpoint["callbacks"])):
        # It may stay the best: do not wait until the end of training to check it.
        check_owner(read_checkpoint_file(best), best, fingerprint)
    return int(checkpoint["global_step"])


def check_owner(checkpoint: Mapping[str, Any], path: Path, fingerprint: str) -> None:
    """Check that a checkpoint belongs to the run with this fingerprint.

    Raises:
        CheckpointError: it belongs to another run, or does not name one.
    """
    if checkpoint.get(FINGERPRINT) != fingerprint:
        raise CheckpointError(f"{path} is of another run")


def put_aside(last: Path) -> Path:
    """Rename the folder of a run's checkpoints, so that the run starts over; return the path."""
    folder = last.parent
    aside = folder.with_name(f"{folder.name}.refused")
    discard(aside)
    folder.rename(aside)
    return aside
