"""The progress of a run, kept in a file of its folder.

The run may be in another process or on another machine than the sweep that shows its progress
(`rnnlm/sweep/display.py`).
"""

from __future__ import annotations

import contextlib
import logging
import time
from pathlib import Path
from typing import Any

import msgspec
from pytorch_lightning import Callback, LightningModule, Trainer

from rnnlm.data.batching import Batch
from rnnlm.files.atomic_write import replacing
from rnnlm.files.run_files import PROGRESS
from rnnlm.metrics import perplexity
from rnnlm.training.module import LanguageModelModule

log = logging.getLogger(__name__)

SECONDS_BETWEEN_WRITES = 0.5


class Progress(msgspec.Struct, frozen=True, rename={"text": "figures"}):
    """The progress of a run.

    text: a line for people with the epoch, the loss and the perplexity so far.
    fraction: the share of its batches that are done.
    seconds_left: estimated from the batches so far; None before the first one.
    """

    text: str
    fraction: float
    seconds_left: float | None

    def write(self, folder: Path) -> None:
        """Write it to the run's folder; a folder that cannot be written is no error."""
        with (
            contextlib.suppress(OSError),
            replacing(folder / PROGRESS, durable=False) as temporary,
        ):
            temporary.write_bytes(msgspec.json.encode(self))

    @classmethod
    def read(cls, folder: Path) -> Progress | None:
        """Read the progress of the run in the folder; None without a readable file."""
        try:
            return msgspec.json.decode((folder / PROGRESS).read_bytes(), type=cls)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None


class ReportProgress(Callback):
    """Writes the progress to the run's folder, twice a second, and to its log, every epoch."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._started = time.monotonic()
        # A resumed run has done some of its batches before.
        self._first = _batches_done(trainer, trainer.fit_loop.batch_idx + 1)
        self._validation = ""
        Progress("", self._first / max(_num_batches(trainer), 1), None).write(self._folder)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, index: int
    ) -> None:
        now = time.monotonic()
        if now - self._written > SECONDS_BETWEEN_WRITES:
            self._written = now
            self._progress(trainer, pl_module, index + 1).write(self._folder)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, LanguageModelModule)
        loss = pl_module.validation_total.loss
        self._validation = f"validation loss {loss:.4f} ppl {perplexity(loss):.2f}"

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        progress = self._progress(trainer, pl_module, int(trainer.num_training_batches))
        log.debug("%s", progress.text)
        progress.write(self._folder)

    def _progress(self, trainer: Trainer, module: LightningModule, batches: int) -> Progress:
        assert isinstance(module, LanguageModelModule)
        loss = module.train_total.loss
        done, total = _batches_done(trainer, batches), _num_batches(trainer)
        seconds = time.monotonic() - self._started
        fresh = done - self._first
        return Progress(
            f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}  "
            f"train loss {loss:.4f} ppl {perplexity(loss):.2f}  {self._validation}".rstrip(),
            done / total,
            seconds * (total - done) / fresh if fresh else None,
        )


def _num_batches(trainer: Trainer) -> int:
    return int(trainer.num_training_batches) * (trainer.max_epochs or 1)


def _batches_done(trainer: Trainer, in_epoch: int) -> int:
    return trainer.current_epoch * int(trainer.num_training_batches) + in_epoch
