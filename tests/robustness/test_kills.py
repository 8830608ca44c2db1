"""After a kill at any moment, the same command goes on and leaves what an undisturbed run leaves.

The records, `scalars.csv` and `samples.txt` are compared. No other file may be left over.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.robustness.commands import HALF_WRITTEN, IN_PLACE, Kill, leftovers, run, start, tiny
from tests.support.runs import results

KILLS = 12  # at random moments, per launcher

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        yield folder


def test_a_kill_at_each_file_that_is_written_changes_nothing(
    tmp_path: Path, own_temporary_folder: Path
) -> None:
    # Saves within the second epoch, which ends with step 22, and at the end.
    save = "checkpoint.every_n_train_steps=16"
    arguments = tiny(tmp_path, "trainer.max_epochs=2", "logger=csv", save)
    assert run(arguments, tmp_path / "alone")[0] == 0
    alone = results(tmp_path / "alone")
    number = 0
    while True:
        number += 1
        folder = tmp_path / f"killed{number}"
        status, _ = run(arguments, folder, Kill(number, HALF_WRITTEN))
        if status == 0:
            break  # the command writes fewer files than that
        assert status == -signal.SIGKILL
        assert run(arguments, folder, Kill(1, IN_PLACE))[0] == -signal.SIGKILL
        status, output = run(arguments, folder)
        assert status == 0, output
        assert results(folder) == alone, number
        assert list(leftovers(folder)) == [], number
    assert number > 15
    assert list(leftovers(own_temporary_folder)) == []


def test_kills_at_random_moments_change_nothing(tmp_path: Path, own_temporary_folder: Path) -> None:
    arguments = [
        *tiny(tmp_path, "-m", "model=rnn,gru", "trainer.max_epochs=3"),
        "checkpoint.train_time_interval=0.1",
    ]
    assert run(arguments, tmp_path / "first")[0] == 0  # makes the caches
    begun = time.monotonic()
    assert run(arguments, tmp_path / "alone")[0] == 0
    seconds = time.monotonic() - begun
    alone = results(tmp_path / "alone")
    assert len(alone) == 2
    draw, kills, sweeps = random.Random(0), 0, 1
    folder = tmp_path / "sweep1"
    while kills < KILLS:
        process = start(arguments, folder)
        process.join(draw.uniform(0, seconds))
        process.kill()
        process.join()
        kills += process.exitcode == -signal.SIGKILL
        if process.exitcode == 0:
            assert results(folder) == alone
            assert list(leftovers(folder)) == []
            sweeps += 1
            folder = tmp_path / f"sweep{sweeps}"
    status, output = run(arguments, folder)
    assert status == 0, output
    assert results(folder) == alone
    assert list(leftovers(folder, own_temporary_folder)) == []


def test_kills_of_a_parallel_sweep_change_nothing(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "run.py"), "-m", "model=lstm,gru", "features=onehot"]
    command += ["model.hidden_size=48", "model.dropout=0.2", "data.batch_size=8"]
    command += ["trainer.max_epochs=12", "checkpoint.every_n_train_steps=20"]

    def begin(folder: str, launcher: str) -> subprocess.Popen[bytes]:
        (tmp_path / folder).mkdir(exist_ok=True)
        return subprocess.Popen(
            [*command, f"hydra/launcher={launcher}"],
            cwd=tmp_path / folder,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def log_sizes() -> list[int]:
        return [path.stat().st_size for path in (tmp_path / "killed").rglob("run.log")]

    assert begin("alone", "serial").wait() == 0
    draw = random.Random(0)
    for kill in range(KILLS):
        before = log_sizes()
        process = begin("killed", "parallel")
        deadline = time.monotonic() + 60
        # Once a run logs something, the sweep has done its imports.
        while process.poll() is None and log_sizes() == before and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(draw.uniform(0, 1.0))
        assert process.poll() is None, "too short a sweep for so many kills"
        if kill % 2:
            process.kill()  # its runs notice, save and stop
        else:
            os.killpg(process.pid, signal.SIGKILL)  # all at once, as when the power goes
        process.wait()
    assert begin("killed", "parallel").wait() == 0
    assert results(tmp_path / "killed") == results(tmp_path / "alone")
    assert len(results(tmp_path / "alone")) == 2
    assert list(leftovers(tmp_path / "killed")) == []
