"""Divide the time of `experiment=lyrics_grid` into training, validation and checkpoints.

    python -m experiments.gpu.shares [--cpu]

The two runs of the LSTM are carried out in this process. Before and after each part the GPU is
waited for. The text is drawn at random, of as many characters as the lyrics.
"""

from __future__ import annotations

import contextlib
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Trainer
from pytorch_lightning.loops.evaluation_loop import _EvaluationLoop

from experiments.gpu.rows import arguments, name_device, row
from experiments.gpu.texts import LYRICS, text_of
from experiments.gpu.training import specified
from rnnlm.runs.run import carry_out_run

LEAST_TRAINING = 0.7
TRAINING, VALIDATION, CHECKPOINTS, REST = "training", "validation", "checkpoints", "the rest"


class Shares:
    """Seconds by part; the time of a part that lies within another counts for the inner one."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.seconds = dict.fromkeys((TRAINING, VALIDATION, CHECKPOINTS, REST), 0.0)
        self._parts = [REST]
        self._marked = time.perf_counter()

    def _lap(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize()
        now = time.perf_counter()
        self.seconds[self._parts[-1]] += now - self._marked
        self._marked = now

    @contextlib.contextmanager
    def of(self, part: str) -> Iterator[None]:
        """Count the time in this context for a part."""
        self._lap()
        self._parts.append(part)
        try:
            yield
        finally:
            self._lap()
            self._parts.pop()

    @contextlib.contextmanager
    def counted(self, owner: type, method: str, part_of: Callable[[Any], str]) -> Iterator[None]:
        """Count the time of every call of a method for the part that `part_of` names by `self`."""
        original = getattr(owner, method)

        def timed(self: Any, *given: Any, **named: Any) -> Any:
            with shares.of(part_of(self)):
                return original(self, *given, **named)

        shares = self
        setattr(owner, method, timed)
        try:
            yield
        finally:
            setattr(owner, method, original)


def shares_of(options: list[str], device: torch.device) -> dict[str, float]:
    """Carry out a run and return its seconds by part."""
    spec, corpus = specified(*options)
    shares = Shares(device)

    def of_evaluation(loop: Any) -> str:
        return VALIDATION if loop.trainer.state.fn == "fit" else REST

    with (
        shares.counted(Trainer, "fit", lambda _: TRAINING),
        shares.counted(Trainer, "save_checkpoint", lambda _: CHECKPOINTS),
        shares.counted(_EvaluationLoop, "run", of_evaluation),
        shares.of(REST),
    ):
        record = carry_out_run(spec, corpus, 0 if device.type == "cuda" else None)
    assert record.error is None, record.error
    return shares.seconds


def main() -> None:
    """Carry out the runs and print a row for each, and one for all."""
    _, device = arguments(__doc__)
    name_device(device)
    on_cpu = device.type == "cpu"
    small = ["model.hidden_size=16", "trainer.max_epochs=2"] if on_cpu else []
    total = dict.fromkeys((TRAINING, VALIDATION, CHECKPOINTS, REST), 0.0)
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder, "lyrics.txt")
        text.write_text(text_of(LYRICS, 5_000 if on_cpu else 63_282), encoding="utf-8")
        options = ["experiment=lyrics_grid", f"data.source={text}", f"output_dir={folder}/outputs"]
        options += [f"trainer.accelerator={device.type}", *small]
        for cell, kind in itertools.product(("lstm",), ("wide", "onehot")):
            seconds = shares_of([*options, f"model={cell}", f"features={kind}"], device)
            shown(cell, kind, seconds, None)
            total = {part: total[part] + seconds[part] for part in total}
    training = total[TRAINING] / sum(total.values())
    shown("all", "", total, None if on_cpu else training >= LEAST_TRAINING)


def shown(cell: str, kind: str, seconds: dict[str, float], holds: bool | None) -> None:
    """Print a row of seconds, with the share of training."""
    columns = {part: f"{each:.2f} s" for part, each in seconds.items()}
    share = f"{seconds[TRAINING] / sum(seconds.values()):.0%}"
    row("shares", cell=cell, features=kind, **columns, share_of_training=share, holds=holds)


if __name__ == "__main__":
    main()
