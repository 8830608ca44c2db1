"""What a person sees while a run trains: a bar on a terminal, plain lines anywhere else."""

from __future__ import annotations

import logging
import sys
import time
from datetime import timedelta
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as RichProgress

from rnnlm.data.batching import Batch
from rnnlm.metrics import perplexity

log = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_BAR_UPDATES = 0.5


class Stopwatch(Callback):
    """Counts training tokens and seconds, over all the attempts that a run has taken."""

    def __init__(self) -> None:
        self.train_seconds = 0.0  # with validation
        self._seconds = 0.0  # without
        self._tokens = 0
        self._marked = 0.0

    def state_dict(self) -> dict[str, Any]:
        self._lap(training=True)
        return {
            "train_seconds": self.train_seconds,
            "seconds": self._seconds,
            "tokens": self._tokens,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.train_seconds = state_dict["train_seconds"]
        self._seconds, self._tokens = state_dict["seconds"], state_dict["tokens"]

    @property
    def tokens_per_second(self) -> float:
        """Training throughput over all epochs so far."""
        return self._tokens / self._seconds if self._seconds else 0.0

    def _lap(self, training: bool) -> None:
        """Count the time since the last lap."""
        now = time.perf_counter()
        self.train_seconds += now - self._marked
        self._seconds += now - self._marked if training else 0.0
        self._marked = now

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self._marked = time.perf_counter()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._lap(training=False)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, index: int
    ) -> None:
        self._tokens += batch.num_tokens

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._lap(training=True)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._lap(training=False)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._lap(training=True)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._lap(training=False)


class Progress(Callback):
    """Shows which run this is, the epoch, loss and perplexity so far, and the time left."""

    def __init__(self, title: str, bar: bool) -> None:
        self._title = title
        self._console = Console(file=sys.stdout)
        self._bar: RichProgress | None = None
        if bar and self._console.is_terminal:
            self._bar = RichProgress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=20),
                TextColumn("{task.fields[figures]}"),
                console=self._console,
            )
        self._plain = bar and self._bar is None
        self._started = self._shown = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._started = self._shown = time.monotonic()
        # A run that goes on has some of its batches behind it.
        self._first = _batches_done(trainer, trainer.fit_loop.batch_idx + 1)
        self._validation = ""
        if self._bar:
            self._task = self._bar.add_task(self._title, total=_num_batches(trainer), figures="")
            self._bar.start()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: Any, outputs: Any, batch: Batch, index: int
    ) -> None:
        now = time.monotonic()
        if self._bar and now - self._shown > SECONDS_BETWEEN_BAR_UPDATES:
            self._shown = now
            self._bar.update(
                self._task,
                completed=_batches_done(trainer, index + 1),
                figures=self._figures(trainer, pl_module, index + 1),
            )

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: Any) -> None:
        loss = pl_module.validation_total.loss
        self._validation = f"validation loss {loss:.4f} ppl {perplexity(loss):.2f}"

    def on_train_epoch_end(self, trainer: Trainer, pl_module: Any) -> None:
        now = time.monotonic()
        figures = self._figures(trainer, pl_module, int(trainer.num_training_batches))
        log.debug("%s  %s", self._title, figures)
        last = trainer.current_epoch + 1 == trainer.max_epochs or trainer.should_stop
        if self._bar:
            done = _batches_done(trainer, int(trainer.num_training_batches))
            self._bar.update(self._task, completed=done, figures=figures)
        elif self._plain and (last or now - self._shown > SECONDS_BETWEEN_LINES):
            self._shown = now
            print(f"{self._title}  {figures}", flush=True)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if self._bar:
            self._bar.stop()

    def _figures(self, trainer: Trainer, module: Any, batches: int) -> str:
        loss = module.train_total.loss
        batches_done = _batches_done(trainer, batches) - self._first
        done = batches_done / max(_num_batches(trainer) - self._first, 1)
        left = (time.monotonic() - self._started) * (1 - done) / done if done else 0.0
        return (
            f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}  "
            f"train loss {loss:.4f} ppl {perplexity(loss):.2f}  {self._validation}  "
            f"{timedelta(seconds=int(left))} left"
        )


def _num_batches(trainer: Trainer) -> int:
    return int(trainer.num_training_batches) * (trainer.max_epochs or 1)


def _batches_done(trainer: Trainer, of_epoch: int) -> int:
    return trainer.current_epoch * int(trainer.num_training_batches) + of_epoch
