"""The seconds that a run has trained, and its tokens per second."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer

from rnnlm.data.batching import Batch


class Stopwatch(Callback):
    """Counts training tokens and seconds, over all attempts at a run."""

    def __init__(self) -> None:
        self.train_seconds = 0.0  # with validation
        self._seconds_without_validation = 0.0
        self._tokens = 0
        self._marked = 0.0

    def state_dict(self) -> dict[str, Any]:
        self._lap(training=True)
        return {
            "train_seconds": self.train_seconds,
            "seconds": self._seconds_without_validation,
            "tokens": self._tokens,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.train_seconds = state_dict["train_seconds"]
        self._seconds_without_validation, self._tokens = state_dict["seconds"], state_dict["tokens"]

    @property
    def tokens_per_second(self) -> float:
        """Training throughput over all epochs so far."""
        return (
            self._tokens / self._seconds_without_validation
            if self._seconds_without_validation
            else 0.0
        )

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Do not count the time spent in this context; use it only between two batches."""
        self._lap(training=True)
        yield
        self._marked = _now()

    def _lap(self, training: bool) -> None:
        """Count the time since the last lap."""
        now = _now()
        self.train_seconds += now - self._marked
        self._seconds_without_validation += now - self._marked if training else 0.0
        self._marked = now

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self._marked = _now()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._lap(training=False)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, index: int
    ) -> None:
        self._tokens += batch.num_tokens

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._lap(training=True)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # Other axes for learning curves. Lightning rounds a Python number to float32.
        self._lap(training=False)
        for name, value in (("tokens", self._tokens), ("seconds", self.train_seconds)):
            pl_module.log(f"cost/{name}", torch.tensor(value, dtype=torch.float64))

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._lap(training=False)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._lap(training=True)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._lap(training=False)


def _now() -> float:
    """Return the time in seconds, once a GPU has done all that it was given."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
    return time.perf_counter()
