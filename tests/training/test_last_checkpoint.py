"""rnnlm/training/last_checkpoint.py: an interrupted run has the metrics of an undisturbed one."""

from __future__ import annotations

import itertools
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator

from rnnlm.config import Config
from rnnlm.files.run_files import best_checkpoint, last_checkpoint
from rnnlm.results.record import COMPLETED, FAILED
from rnnlm.training import checkpoint_file
from rnnlm.training import last_checkpoint as module
from rnnlm.training.checkpoint_file import CheckpointError
from rnnlm.training.divergence import DivergenceCheck
from rnnlm.training.last_checkpoint import LastCheckpoint, check_checkpoints
from rnnlm.training.module import FINGERPRINT, LanguageModelModule
from tests.conftest import Compose, trained
from tests.robustness.commands import AT_STEP, Kill, run, tiny
from tests.support.runs import comparable, interrupt_at, logged, results, scalars

BATCHES = 14  # of an epoch
NOT_BY_THE_CLOCK = "checkpoint.train_time_interval=1e9"


@pytest.fixture(autouse=True)
def ctrl_c_is_heard() -> Iterator[None]:
    """A job in the background inherits that Ctrl-C is ignored, and a run leaves that as it is."""
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, inherited)


@pytest.fixture
def config(compose: Compose, text_file: Path) -> Config:
    """Three epochs with dropout, a schedule and an optimizer that has a memory."""
    text_file.write_text(text_file.read_text().replace(". ", ".\n"))
    return compose(
        f"data.source={text_file}",
        "data.batch_size=6",
        "data.seq_len=64",
        "model.dropout=0.3",
        "model.weight_dropout=0.2",
        "optimizer.schedule=one_cycle",
        "optimizer.averaging=equal",
        "optimizer.averaging_start=1",
        "early_stopping.patience=5",
        "trainer.max_epochs=3",
        "checkpoint.every_n_train_steps=4",
        NOT_BY_THE_CLOCK,
    )


@pytest.mark.parametrize("batching", ["stream", "variable stream", "windows", "documents"])
@pytest.mark.parametrize("step", [1, 6, BATCHES, BATCHES + 1, 3 * BATCHES])
def test_a_run_that_was_interrupted_gives_the_figures_of_one_left_alone(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batching: str, step: int
) -> None:
    config.data.batching = type(config.data.batching)(batching.split()[-1])
    config.data.variable_seq_len = "variable" in batching
    config.samples.every_n_epochs, config.samples.length = 1, 5
    trained(config, tmp_path / "alone")
    with monkeypatch.context() as patch:
        interrupt_at(patch, step, signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            trained(config, tmp_path / "interrupted")
    assert not (tmp_path / "interrupted" / "result.json").exists()
    trained(config, tmp_path / "interrupted")
    assert comparable(tmp_path / "interrupted") == comparable(tmp_path / "alone")
    assert logged(tmp_path / "interrupted") == logged(tmp_path / "alone")
    written, alone = (
        (tmp_path / run / "samples.txt").read_bytes() for run in ("interrupted", "alone")
    )
    assert written == alone


@pytest.mark.parametrize(
    ("hook", "time"),
    [
        ("configure_optimizers", 1),
        ("on_train_start", 1),
        ("training_step", BATCHES),
        ("on_train_batch_end", 6),
        ("validation_step", 2),
        ("on_validation_epoch_end", 1),
        ("on_train_epoch_end", 1),
        ("on_train_epoch_end", 3),
        ("on_train_end", 1),
        ("test_step", 1),
    ],
)
def test_sigterm_stops_a_run_wherever_it_is(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hook: str, time: int
) -> None:
    trained(config, tmp_path / "alone")
    with monkeypatch.context() as patch:
        interrupt_at(patch, time, signal.SIGTERM, hook)
        with pytest.raises(SystemExit) as stopped:
            trained(config, tmp_path / "interrupted")
    assert stopped.value.code == 128 + signal.SIGTERM
    trained(config, tmp_path / "interrupted")
    assert comparable(tmp_path / "interrupted") == comparable(tmp_path / "alone")


@pytest.mark.parametrize(
    ("options", "hook", "time"),
    [
        (["optimizer.schedule=plateau", "optimizer.averaging=none"], "training_step", 3 * BATCHES),
        (["early_stopping.patience=1"], "on_train_end", 1),
        ([f"trainer.max_steps={2 * BATCHES + 5}"], "on_train_end", 1),
        ([f"trainer.max_steps={2 * BATCHES + 5}"], "training_step", 2 * BATCHES + 5),
    ],
)
def test_schedule_early_stop_and_end_outlive_an_interruption(
    compose: Compose,
    text_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    hook: str,
    time: int,
) -> None:
    small = [f"data.source={text_file}", "data.batch_size=6", "data.seq_len=64"]
    config = compose(*small, "optimizer.lr=0.2", "trainer.max_epochs=8", *options)
    trained(config, tmp_path / "alone")
    with monkeypatch.context() as patch:
        interrupt_at(patch, time, signal.SIGINT, hook)
        with pytest.raises(KeyboardInterrupt):
            trained(config, tmp_path / "interrupted")
    trained(config, tmp_path / "interrupted")
    assert comparable(tmp_path / "interrupted") == comparable(tmp_path / "alone")


def test_a_run_knows_its_best_where_its_folder_was_moved(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.optimizer.lr, config.trainer.max_epochs = 1.0, 5
    alone = trained(config, tmp_path / "alone")
    assert alone.best_epoch is not None
    assert alone.best_epoch < 5
    with monkeypatch.context() as patch:
        interrupt_at(patch, 4 * BATCHES + 2, signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            trained(config, tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    trained(config, tmp_path / "there")
    assert comparable(tmp_path / "there") == comparable(tmp_path / "alone")


class Clock:
    """Goes on by seven seconds with every training step."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        original = LanguageModelModule.training_step

        def step(module: LanguageModelModule, *arguments: Any) -> Any:
            self.now += 7
            return original(module, *arguments)

        monkeypatch.setattr(LanguageModelModule, "training_step", step)
        monkeypatch.setattr(module, "time", self)

    def monotonic(self) -> float:
        """The time, in seconds."""
        return self.now


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The names and steps of the checkpoints that are written."""
    written: list[tuple[str, int]] = []
    original = checkpoint_file.write_checkpoint

    def write(content: dict[str, Any], path: Path) -> None:
        assert all(weight.isfinite().all() for weight in content["state_dict"].values())
        written.append((path.name, content["global_step"]))
        original(content, path)

    monkeypatch.setattr(checkpoint_file, "write_checkpoint", write)
    return written


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        # The default is a minute, nine steps of this clock. The end of training is saved too.
        ([], [9, 18, 27, 36, 3 * BATCHES]),
        (["checkpoint.train_time_interval=150"], [22, 3 * BATCHES]),
        (["checkpoint.train_time_interval=1e9"], [3 * BATCHES]),
        # What is due at the last batch of an epoch, or while gradients are accumulated, waits.
        (["checkpoint.train_time_interval=98"], [BATCHES, 2 * BATCHES, 3 * BATCHES]),
        (
            ["checkpoint.train_time_interval=0", "trainer.accumulate_grad_batches=5"],
            [*range(1, 10)],
        ),
        # Both intervals count from the last save, whatever it was for.
        (["checkpoint.every_n_train_steps=5"], [*range(5, 3 * BATCHES, 5), 3 * BATCHES]),
        (["checkpoint.every_n_train_steps=20"], [9, 18, 27, 36, 3 * BATCHES]),
    ],
)
def test_the_last_checkpoint_is_written_by_the_clock_and_at_the_end(
    compose: Compose,
    text_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    saved: list[tuple[str, int]],
    options: list[str],
    expected: list[int],
) -> None:
    Clock(monkeypatch)
    small = [f"data.source={text_file}", "data.batch_size=6", "data.seq_len=64"]
    config = compose(*small, "trainer.max_epochs=3", *options)
    assert trained(config, tmp_path / "run").status == COMPLETED
    assert [step for name, step in saved if name == "last.ckpt"] == expected
    # A better epoch is written just before the place from which the run goes on.
    for before, after in itertools.pairwise(saved):
        assert before[0] == "last.ckpt" or (after[0] == "last.ckpt" and before[1] <= after[1])
    assert saved[-1][0] == "last.ckpt"


def test_epochs_since_the_last_save_are_done_again_to_the_same_figures(tmp_path: Path) -> None:
    # An epoch has 11 steps. The best is the fourth, and the run stops after the sixth.
    arguments = tiny(
        tmp_path,
        *("trainer.max_epochs=9", "early_stopping.patience=2", "checkpoint.every_n_train_steps=27"),
        *("optimizer.lr=0.3", "optimizer.schedule=plateau"),
        *("optimizer.averaging=ema", "optimizer.ema_decay=0.8"),
        NOT_BY_THE_CLOCK,
    )
    assert run(arguments, tmp_path / "alone")[0] == 0
    (alone,) = results(tmp_path / "alone").values()
    assert (alone[0]["epochs"], alone[0]["best_epoch"]) == (6, 4)
    killed = tmp_path / "killed"
    # Before the first save, at step 27; after the best epoch; and there again, 25 steps later.
    for step, epochs, saved_step in ((20, 1, None), (50, 4, 27), (25, 4, 27)):
        assert run(arguments, killed, Kill(step, AT_STEP))[0] == -signal.SIGKILL
        (folder,) = (path.parent for path in killed.rglob("scalars.csv"))
        assert len(logged(folder)) == epochs
        last = last_checkpoint(folder)
        found = torch.load(last, weights_only=True)["global_step"] if last.exists() else None
        assert found == saved_step
    status, output = run(arguments, killed)
    assert status == 0, output
    assert list(results(killed).values()) == [alone]
    ours, expected = (
        torch.load(next(path.rglob("best.ckpt")), weights_only=True)
        for path in (killed, tmp_path / "alone")
    )
    assert ours["global_step"] == expected["global_step"]
    for name, weight in expected["state_dict"].items():
        assert torch.equal(ours["state_dict"][name], weight)
    # TensorBoard shows each step once and in order, though several attempts have logged it.
    events = EventAccumulator(str(folder))
    events.Reload()
    steps = [step for step, _ in scalars(folder, "loss/validation")]
    for name in ("loss/validation", "loss/train_running", "cost/seconds", "samples/text_summary"):
        assert [event.step for event in events.Tensors(name)] == steps
    for name in ("cost/seconds", "cost/tokens"):
        values = [value for _, value in scalars(folder, name)]
        assert values == sorted(values)


def test_a_checkpoint_is_kept_every_so_many_steps(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    original = LanguageModelModule.training_step

    def dies(self: LanguageModelModule, batch: Any, index: int) -> Any:
        if index == 10:
            raise MemoryError("no more")
        return original(self, batch, index)

    monkeypatch.setattr(LanguageModelModule, "training_step", dies)
    assert trained(config, folder).status == FAILED
    checkpoint = torch.load(last_checkpoint(folder), weights_only=True)
    assert checkpoint["global_step"] == 8
    # Tried again, it goes on.
    monkeypatch.setattr(LanguageModelModule, "training_step", original)
    trained(config, tmp_path / "alone")
    trained(config, folder)
    assert comparable(folder) == comparable(tmp_path / "alone")


class Code:
    """A pickle that makes a folder when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.fixture
def interrupted(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run that was stopped in its second epoch."""
    with monkeypatch.context() as patch:
        interrupt_at(patch, BATCHES + 6, signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            trained(config, tmp_path / "run")
    return tmp_path / "run"


def refused(config: Config, folder: Path, path: Path) -> str:
    """Why a run does not go on from a checkpoint, which is put aside."""
    held = {path.name for path in path.parent.iterdir()}
    error = trained(config, folder).error
    assert error is not None
    assert error.startswith(str(path))
    assert error.endswith("the same command starts the run over")
    aside = folder / "checkpoints.refused"
    assert str(aside) in error
    assert {path.name for path in aside.iterdir()} == held
    return error


def test_what_is_damaged_is_refused_and_the_run_starts_over_when_it_is_tried_again(
    config: Config, interrupted: Path
) -> None:
    path = last_checkpoint(interrupted)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    assert "damaged" in refused(config, interrupted, path)
    assert trained(config, interrupted).status == COMPLETED
    assert sorted(path.name for path in (interrupted / "checkpoints").iterdir()) == [
        "best.ckpt",
        "last.ckpt",
    ]
    assert not (interrupted / "checkpoints.refused").exists()


def test_what_holds_code_is_refused_and_the_code_not_run(
    config: Config, interrupted: Path, tmp_path: Path
) -> None:
    path = last_checkpoint(interrupted)
    torch.save({FINGERPRINT: "x", "global_step": Code(tmp_path / "made by code")}, path)
    refused(config, interrupted, path)
    assert not (tmp_path / "made by code").exists()


@pytest.mark.parametrize("kind", ["gone", "another run's"])
def test_a_run_goes_on_only_with_the_best_that_validation_has_chosen(
    config: Config, interrupted: Path, kind: str
) -> None:
    best = best_checkpoint(interrupted)
    if kind == "gone":
        best.unlink()
    else:
        torch.save(torch.load(best, weights_only=True) | {FINGERPRINT: "other"}, best)
    refused(config, interrupted, best)


def test_a_checkpoint_of_an_earlier_version_is_refused_in_one_line(
    config: Config, interrupted: Path
) -> None:
    path = last_checkpoint(interrupted)
    checkpoint = torch.load(path, weights_only=True)
    del checkpoint["scalars"]
    torch.save(checkpoint, path)
    assert "another version" in refused(config, interrupted, path)


def test_scalars_are_those_of_the_checkpoint_whatever_became_of_the_file(
    config: Config, interrupted: Path, tmp_path: Path
) -> None:
    (interrupted / "scalars.csv").write_bytes(bytes(300))
    (interrupted / "samples.txt").mkdir()
    (interrupted / "progress.json").unlink()
    (interrupted / "progress.json").mkdir()
    record = trained(config, interrupted)
    assert record.status == COMPLETED, record.error
    trained(config, tmp_path / "alone")
    assert comparable(interrupted) == comparable(tmp_path / "alone")
    assert logged(interrupted) == logged(tmp_path / "alone")


def test_an_epoch_is_logged_before_a_checkpoint_says_that_it_is_done(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(Exception):
        pass

    def save(*_: Any) -> None:
        assert logged(tmp_path / "run")[-1]["loss/train_running"]
        raise KilledError

    config.checkpoint.every_n_train_steps = BATCHES
    monkeypatch.setattr(LastCheckpoint, "_save", save)
    assert trained(config, tmp_path / "run").error == "KilledError: "


def test_a_checkpoint_of_another_run_is_refused(config: Config, interrupted: Path) -> None:
    last, best = last_checkpoint(interrupted), best_checkpoint(interrupted)
    fingerprint = torch.load(last, weights_only=True)[FINGERPRINT]
    assert check_checkpoints(last, best, fingerprint) == BATCHES + 6
    with pytest.raises(CheckpointError, match="of another run"):
        check_checkpoints(last, best, "other")


def test_a_signal_after_the_last_batch_of_an_epoch_does_not_lose_it(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saved: list[tuple[str, int]]
) -> None:
    config.checkpoint.every_n_train_steps = None
    hooks: dict[str, Any] = {
        "validation_step": BATCHES,  # Ctrl-C lets validation finish; SIGTERM does for a while
        "on_train_epoch_end": BATCHES,
        "on_train_epoch_start": BATCHES + 1,  # Lightning has begun an epoch, which goes on
    }
    for number in (signal.SIGINT, signal.SIGTERM):
        for hook, expected in hooks.items():
            with monkeypatch.context() as patch:
                interrupt_at(patch, 2 if hook == "on_train_epoch_start" else 1, number, hook)
                with pytest.raises((KeyboardInterrupt, SystemExit)):
                    trained(config, tmp_path / f"{hook} {number}")
            assert saved[-1] == ("last.ckpt", expected), hook


def test_sigterm_does_not_wait_for_a_long_validation(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saved: list[tuple[str, int]]
) -> None:
    monkeypatch.setattr("rnnlm.signals.stop_request.SECONDS_UNTIL_OVERDUE", 0)
    with monkeypatch.context() as patch:
        interrupt_at(patch, 2, signal.SIGTERM, "validation_step")
        with pytest.raises(SystemExit):
            trained(config, tmp_path / "run")
    assert saved[-1][1] < 2 * BATCHES
    trained(config, tmp_path / "alone")
    trained(config, tmp_path / "run")
    assert comparable(tmp_path / "run") == comparable(tmp_path / "alone")


@pytest.mark.parametrize(
    ("options", "error", "step"),
    [
        # The loss of the second step is so large that its perplexity is no number.
        (["optimizer.lr=1e30"], r"the training loss is .* at step 2; a lower", 1),
        # The first step has a finite loss, but leaves weights that are no numbers.
        (["optimizer.lr=1e38", "optimizer.weight_decay=1e30"], "a weight is not finite after", 0),
    ],
)
def test_weights_that_have_diverged_are_not_saved_to_go_on_from(
    compose: Compose,
    tmp_path: Path,
    saved: list[tuple[str, int]],
    options: list[str],
    error: str,
    step: int,
) -> None:
    unbounded = ("optimizer=sgd", "trainer.gradient_clip_val=null")
    record = trained(compose(*unbounded, *options, "checkpoint.train_time_interval=0"), tmp_path)
    assert record.status == FAILED
    assert re.search(error, record.error or "")
    assert saved == [("last.ckpt", 1)][:step]
    assert list((tmp_path / "checkpoints").glob("*")) == []


def test_losses_that_a_gpu_has_kept_to_itself_are_looked_at_before_a_save(
    compose: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saved: list[tuple[str, int]]
) -> None:
    def add(self: DivergenceCheck, loss: torch.Tensor, step: int) -> None:
        self._unseen.append((step, loss.detach()))

    monkeypatch.setattr(DivergenceCheck, "add", add)
    unbounded = ("optimizer=sgd", "trainer.gradient_clip_val=null", "optimizer.lr=1e30")
    config = compose(*unbounded, "checkpoint.every_n_train_steps=5", NOT_BY_THE_CLOCK)
    record = trained(config, tmp_path)
    assert re.search("the training loss is .* at step 2; a lower", record.error or "")
    assert saved == []


def test_weights_that_have_diverged_are_not_saved_as_the_best(
    compose: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saved: list[tuple[str, int]]
) -> None:
    original = LanguageModelModule.on_validation_epoch_end

    def diverge(self: LanguageModelModule) -> None:
        original(self)
        self.network.output.bias.data[3] = torch.nan

    monkeypatch.setattr(LanguageModelModule, "on_validation_epoch_end", diverge)
    record = trained(compose(NOT_BY_THE_CLOCK), tmp_path)
    assert "a weight is not finite after step" in (record.error or "")
    assert saved == []
