"""Damaged files of a run never change a metric without a word.

No command fails twice for the same file: it names the file once, and then works without it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rnnlm.files.run_files import best_checkpoint, last_checkpoint
from rnnlm.results.history import CurveSplit, Metric, ScalarsError, XAxis, read_history
from rnnlm.results.record import Record
from rnnlm.runs.repair import FILES, FOLDERS
from rnnlm.runs.trained_model import LoadError, load
from rnnlm.training.checkpoint_file import CheckpointError
from rnnlm.training.last_checkpoint import check_checkpoints
from rnnlm.training.module import FINGERPRINT
from tests.conftest import ROOT
from tests.robustness.commands import HALF_WRITTEN, IN_PLACE, Kill, leftovers, run, tiny
from tests.robustness.mutations import mutations
from tests.support.runs import comparable, logged, results

MUTATIONS = 120  # per file

pytestmark = pytest.mark.slow


class Runs:
    """A run that was left alone, and one that was killed after validation had chosen an epoch."""

    def __init__(self, folder: Path) -> None:
        # A save after each epoch, which has 11 steps.
        saves = ("checkpoint.every_n_train_steps=11", "checkpoint.train_time_interval=1e9")
        self.arguments = tiny(folder, "trainer.max_epochs=3", "logger=csv", *saves)
        assert run(self.arguments, folder / "alone")[0] == 0
        self.results = results(folder / "alone")
        (name,) = self.results
        self.alone = folder / "alone" / name
        self._killed = folder / "killed"
        # An epoch writes the scalars, the samples, the scalars again, best.ckpt and last.ckpt. The
        # eighth file is one of the second epoch.
        assert run(self.arguments, self._killed, Kill(8, HALF_WRITTEN))[0] < 0
        assert last_checkpoint(self._killed / name).exists()
        self._name, self._copies = name, 0

    def interrupted(self) -> tuple[Path, Path]:
        """Copy the killed run; return the folder its command runs in, and the run's own folder."""
        self._copies += 1
        copy = self._killed.with_name(f"copy{self._copies}")
        shutil.copytree(self._killed, copy)
        return copy, copy / self._name

    def completed(self) -> tuple[Path, Path]:
        """Copy the run that was left alone; return the same two folders."""
        self._copies += 1
        copy = self._killed.with_name(f"copy{self._copies}")
        shutil.copytree(self._killed.with_name("alone"), copy)
        return copy, copy / self._name


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RNNLM_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        return Runs(tmp_path_factory.mktemp("runs"))


def test_a_mutated_best_checkpoint_is_as_before_or_refused(runs: Runs, tmp_path: Path) -> None:
    _, folder = runs.completed()
    text = tmp_path / "text.txt"
    text.write_text("Ann went down to the mill. Bob went down to the sea.\n" * 3)
    path = best_checkpoint(folder)
    content, loss = path.read_bytes(), load(folder).evaluate(text).loss
    refused = 0
    for name, changed in mutations(content, MUTATIONS, seed=1):
        path.write_bytes(changed)
        try:
            assert load(folder).evaluate(text).loss == loss, name
        except LoadError as error:
            refused += 1
            assert str(error).startswith(str(path)), name
            assert str(error).endswith("; force=true trains the run again"), name
            assert "\n" not in str(error), name
    assert refused > MUTATIONS * 0.9
    path.unlink()
    with pytest.raises(LoadError, match=r"best\.ckpt is missing, force=true"):
        load(folder)


def test_the_command_refuses_a_damaged_best_checkpoint_and_shows_the_record(
    runs: Runs, tmp_path: Path
) -> None:
    there, folder = runs.completed()
    path = best_checkpoint(folder)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 8
    path.write_bytes(content)
    (tmp_path / "text.txt").write_text("Ann went down to the mill.\n")
    program = "import sys; from rnnlm.cli import main; sys.exit(main())"
    evaluate = subprocess.run(
        [sys.executable, "-c", program, "evaluate", folder, tmp_path / "text.txt"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert evaluate.returncode == 2
    assert evaluate.stdout == ""
    assert evaluate.stderr.count("\n") == 1
    assert "best.ckpt is damaged" in evaluate.stderr
    status, output = run(runs.arguments, there)
    assert status == 0
    assert "is completed" in output
    assert run([*runs.arguments, "force=true"], there)[0] == 0
    assert logged(folder) == logged(runs.alone)


def test_a_mutated_last_checkpoint_is_as_before_or_refused(runs: Runs) -> None:
    there, folder = runs.interrupted()
    last, best = last_checkpoint(folder), best_checkpoint(folder)
    fingerprint = torch.load(last, weights_only=True)[FINGERPRINT]
    for path in (last, best):
        content = path.read_bytes()
        accepted = []
        for name, changed in mutations(content, MUTATIONS, seed=2):
            path.write_bytes(changed)
            try:
                check_checkpoints(last, best, fingerprint)
                accepted.append((name, changed))
            except CheckpointError as error:
                assert str(error).startswith(str(path)), name
                assert "\n" not in str(error), name
        assert len(accepted) < MUTATIONS * 0.1
        for name, changed in accepted:
            there, folder = runs.interrupted()
            (folder / path.relative_to(path.parents[1])).write_bytes(changed)
            assert run(runs.arguments, there)[0] == 0
            assert results(there) == runs.results, name
        path.write_bytes(content)


def zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def gone(path: Path) -> None:
    path.unlink()


def a_folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()
    (path / "something").write_text("else")


@pytest.mark.parametrize("name", ["last.ckpt", "best.ckpt"])
@pytest.mark.parametrize("damage", [zeros, cut, gone, a_folder])
def test_a_run_without_its_checkpoint_is_refused_once_and_then_starts_over(
    runs: Runs, name: str, damage: Callable[[Path], None]
) -> None:
    there, folder = runs.interrupted()
    damage(folder / "checkpoints" / name)
    status, output = run(runs.arguments, there)
    if not (name == "last.ckpt" and damage is gone):  # nobody can know that it is missing
        assert status == 1
        error = json.loads((folder / "result.json").read_text())["error"]
        assert error.startswith(f"{folder}/checkpoints/{name} ")
        assert "the same command" in error
        status, output = run(runs.arguments, there)
    assert status == 0, output
    assert results(there) == runs.results
    assert list(leftovers(there)) == []


@pytest.mark.parametrize("damage", [zeros, cut, a_folder])
def test_what_became_of_its_other_files_does_not_matter_to_a_run(
    runs: Runs, damage: Callable[[Path], None]
) -> None:
    there, folder = runs.interrupted()
    for path in (folder / name for name in FILES):
        if damage is a_folder or path.exists():
            damage(path)
    status, output = run(runs.arguments, there)
    assert status == 0, output
    assert output.count(": a file belongs there") == (len(FILES) if damage is a_folder else 0)
    assert results(there) == runs.results
    assert Record.read(folder).scalars_sha256 is not None


def test_files_in_the_place_of_its_folders_do_not_matter_to_a_run(runs: Runs) -> None:
    there, folder = runs.interrupted()
    for path in (folder / name for name in FOLDERS):
        shutil.rmtree(path, ignore_errors=True)
        path.write_text("a file")
    status, output = run(runs.arguments, there)
    assert status == 0, output
    assert output.count(": a folder belongs there") == len(FOLDERS)
    assert results(there) == runs.results


def curves(folder: Path) -> dict[Any, Any]:
    """Return every curve that is drawn of a run."""
    history = read_history(folder, Record.read(folder).scalars_sha256)
    return {
        (metric, measured, against): history.series(metric, measured, against)
        for metric in Metric
        for measured in CurveSplit
        for against in XAxis
    }


def test_curves_of_a_completed_run_are_those_it_has_left_or_none(runs: Runs) -> None:
    _, folder = runs.completed()
    path = folder / "scalars.csv"
    content, drawn = path.read_bytes(), curves(folder)
    assert len(drawn[Metric.loss, CurveSplit.running, XAxis.epoch]) == 3
    refused = 0
    for name, changed in mutations(content, MUTATIONS, seed=3):
        path.write_bytes(changed)
        try:
            assert curves(folder) == drawn, name
        except ScalarsError as error:
            refused += 1
            assert str(error).startswith(f"{path} is damaged"), name
    assert refused > MUTATIONS * 0.9


def test_a_mutated_scalars_file_of_an_interrupted_run_is_written_anew(runs: Runs) -> None:
    there, folder = runs.interrupted()
    content = (folder / "scalars.csv").read_bytes()
    first_epoch = logged(folder)[:1]
    for name, changed in list(mutations(content, MUTATIONS, seed=4))[:: MUTATIONS // 8]:
        there, folder = runs.interrupted()
        (folder / "scalars.csv").write_bytes(changed)
        assert run(runs.arguments, there, Kill(1, IN_PLACE))[0] < 0
        # The run writes this file first, with everything that was logged before.
        assert logged(folder) == first_epoch, name
        assert run(runs.arguments, there)[0] == 0
        assert comparable(folder) == comparable(runs.alone)
        assert logged(folder) == logged(runs.alone), name
