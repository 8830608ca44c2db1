"""rnnlm/training/stopwatch.py, by a clock of the test's own."""

from __future__ import annotations

from typing import Any

import pytest

from rnnlm.data.batching import Batch
from rnnlm.training import stopwatch
from rnnlm.training.stopwatch import Stopwatch


class Clock:
    """Goes as the test says."""

    now = 100.0

    def perf_counter(self) -> float:
        """The time, in seconds."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(stopwatch, "time", clock)
    return clock


def test_queued_work_of_a_gpu_counts_as_training(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait_for_queued_work() -> None:
        clock.now += queued.pop() if queued else 0

    monkeypatch.setattr("torch.cuda.is_initialized", lambda: True)
    monkeypatch.setattr("torch.cuda.synchronize", wait_for_queued_work)
    queued: list[float] = []
    watch, none = Stopwatch(), None
    trainer: Any = none
    module: Any = none
    watch.setup(trainer, module, "fit")
    watch.on_train_epoch_start(trainer, module)
    any_tokens: Any = none
    watch.on_train_batch_end(trainer, module, none, Batch(any_tokens, any_tokens, 30, True), 0)
    queued.append(3.0)
    watch.on_validation_start(trainer, module)
    clock.now += 5
    watch.on_validation_end(trainer, module)
    watch.on_train_epoch_end(trainer, module)
    assert watch.train_seconds == 8
    assert watch.tokens_per_second == 30 / 3


def test_what_is_done_in_a_pause_is_no_part_of_training(clock: Clock) -> None:
    watch, none = Stopwatch(), None
    trainer: Any = none
    module: Any = none
    watch.setup(trainer, module, "fit")
    watch.on_train_epoch_start(trainer, module)
    clock.now += 2
    any_tokens: Any = none
    watch.on_train_batch_end(trainer, module, none, Batch(any_tokens, any_tokens, 30, True), 0)
    clock.now += 1
    with watch.paused():
        clock.now += 500
    clock.now += 1
    watch.on_train_epoch_end(trainer, module)
    assert watch.train_seconds == 4
    assert watch.tokens_per_second == 30 / 4
