"""Sweeps whose runs share a GPU that is not there, under a service that is not NVIDIA's."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from rnnlm.results.record import COMPLETED, FAILED, find_records
from tests.conftest import ROOT, TINY, Run
from tests.support.sweeps import ENDLESS, start, wait_for
from tests.sweep.launchers.fake_gpus import CUDA_ERROR, FAKE_GPUS, fake_control


def environment(folder: Path) -> dict[str, str]:
    return {
        "PYTHONPATH": str(ROOT),
        "PATH": f"{folder}:{os.environ['PATH']}",
        "CUDA_MPS_PIPE_DIRECTORY": str(folder / "none"),
    }


def test_a_run_that_a_neighbour_may_have_taken_down_is_tried_again_by_itself(
    run_py: Run, tmp_path: Path
) -> None:
    calls = fake_control(tmp_path / "bin")
    options = ["optimizer.lr=0.1,0.2,0.3,0.4", "optimizer=sgd", *TINY]
    result = run_py("-m", FAKE_GPUS, *options, **environment(tmp_path / "bin"))
    assert result.returncode == 1
    lines = result.stdout.splitlines()
    assert lines[0] == "4 runs at a time on 1 GPU (Fake) under NVIDIA's MPS"
    again = [line for line in lines if " will be tried again by itself: " in line]
    reasons = [line.partition(" by itself: ")[2] for line in sorted(again)]
    killed = "killed by SIGKILL, as the system does where memory runs out"
    assert reasons == [f"RuntimeError: {CUDA_ERROR}", killed, f"RuntimeError: {CUDA_ERROR}"]
    # What has happened once is shown once, as it ended.
    assert result.stderr.count(" failed: ") == 1
    assert result.stderr.endswith(f"4/4 time_machine lstm-embed seed 1 failed: {reasons[0]}\n")

    runs = {record.overrides[0]: record for _, record in find_records([tmp_path])[0]}
    assert [runs[f"optimizer.lr=0.{n}"].status for n in (1, 2, 3)] == [COMPLETED] * 3
    assert runs["optimizer.lr=0.4"].status == FAILED
    assert runs["optimizer.lr=0.4"].error == reasons[0]

    (pipes,) = set(re.findall(r"/tmp/rnnlm-mps-\w+", calls.read_text()))
    assert not Path(pipes).exists()
    assert calls.read_text().splitlines()[-2:] == [f"quit {pipes}", "end"]
    noted = (tmp_path / "environments").read_text().splitlines()
    assert sorted(noted[:4]) == [f"0.{n} 4 {pipes}" for n in (1, 2, 3, 4)]
    # The service has ended.
    assert sorted(noted[4:]) == [f"0.{n} 1 {tmp_path / 'bin' / 'none'}" for n in (2, 3, 4)]


def test_a_sweep_that_is_killed_takes_the_service_with_it(tmp_path: Path) -> None:
    calls = fake_control(tmp_path / "bin")
    command = ["-m", FAKE_GPUS, "seed=1,2", *ENDLESS]
    sweep = start(tmp_path, *command, ignored=(), **environment(tmp_path / "bin"))
    wait_for("last.ckpt", tmp_path)
    (pipes,) = set(re.findall(r"/tmp/rnnlm-mps-\w+", calls.read_text()))
    assert Path(pipes).exists()
    os.killpg(sweep.pid, 9)
    sweep.communicate(timeout=60)
    deadline = time.monotonic() + 20
    while Path(pipes).exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not Path(pipes).exists()
    assert calls.read_text().splitlines()[-2:] == [f"quit {pipes}", "end"]
