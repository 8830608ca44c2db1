"""rnnlm/sweep/launchers/processes.py: one run's failure is one run's failure, and nothing leaks."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch

from rnnlm.results.record import COMPLETED, FAILED, Record, find_records
from tests.conftest import ROOT, TINY, Run
from tests.support.sweeps import ENDLESS, SABOTAGE, metrics_of, start, wait_for


def processes_at(folder: Path) -> list[int]:
    """The processes that have a run's log below the folder open."""
    found = set()
    for fd in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = str(fd.readlink())
        except OSError:
            continue
        if target.startswith(str(folder)) and target.endswith("run.log"):
            found.add(int(fd.parts[2]))
    return sorted(found)


@pytest.mark.parametrize("launcher", ["parallel", "serial"])
def test_of_six_runs_one_diverges_one_raises_one_is_killed_and_three_complete(
    run_py: Run, tmp_path: Path, launcher: str
) -> None:
    command = ["-m", f"hydra/launcher={launcher}", "optimizer.lr=0.1,0.2,0.3,0.4,0.5,1e30"]
    command += ["optimizer=sgd", "trainer.gradient_clip_val=null", *TINY]
    result = run_py(*command, SABOTAGE, PYTHONPATH=str(ROOT))
    assert result.returncode == 1
    assert "Traceback" not in result.stdout + result.stderr
    rows = [line for line in result.stdout.splitlines() if line.startswith(("* time", "  time"))]
    assert [row.split()[-1] for row in rows] == [COMPLETED] * 3 + [FAILED] * 3

    found = {_rate(record): (path, record) for path, record in find_records([tmp_path])[0]}
    failed = {rate: record.error for rate, (_, record) in found.items() if record.status == FAILED}
    assert failed["0.2"] == "RuntimeError: sabotage"
    assert failed["0.3"] == "killed by SIGKILL, as the system does where memory runs out"
    assert re.fullmatch(
        r"the training loss is \S+ at step 2; "
        "a lower optimizer.lr or trainer.gradient_clip_val may help",
        failed["1e+30"] or "",
    )
    for error in failed.values():
        assert f"failed: {error}\n" in result.stderr
    for rate in ("0.2", "1e+30"):
        assert "Traceback" in (found[rate][0] / "run.log").read_text()

    if launcher == "serial":
        return  # what follows is done by the sweep, whatever the launcher
    left_alone = run_py(*command, "retry_failed=false")
    assert left_alone.returncode == 1
    assert left_alone.stdout.count(" is completed: ") == 3
    assert left_alone.stdout.count(" has failed and is not tried again: ") == 3

    again = run_py(*command)
    assert again.returncode == 1
    assert again.stdout.count(" is completed: ") == 3
    statuses = {_rate(record): record.status for _, record in find_records([tmp_path])[0]}
    assert statuses.pop("1e+30") == FAILED
    assert set(statuses.values()) == {COMPLETED}


def _rate(record: Record) -> str:
    (rate,) = (o.partition("=")[2] for o in record.overrides if o.startswith("optimizer.lr="))
    return rate


@pytest.mark.slow
def test_a_run_gives_the_same_alone_first_last_and_beside_another(
    run_py: Run, tmp_path: Path
) -> None:
    runs = ["model=lstm,gru", "features=onehot", "model.dropout=0.3", *TINY]
    for launcher in ("serial", "parallel", "basic"):
        command = ["-m", f"hydra/launcher={launcher}", f"output_dir={launcher}", *runs]
        assert run_py(*command).returncode == 0
    alone = ["model=gru", "features=onehot", *runs[2:], "output_dir=alone"]
    assert run_py(*alone).returncode == 0
    serial = metrics_of(tmp_path / "serial")
    assert len(serial) == 2
    assert metrics_of(tmp_path / "parallel") == serial
    assert metrics_of(tmp_path / "basic") == serial
    ((name, metrics),) = metrics_of(tmp_path / "alone").items()
    assert serial[name] == metrics


@pytest.mark.slow
def test_memory_after_twenty_runs_is_that_after_two(run_py: Run, tmp_path: Path) -> None:
    seeds = ",".join(map(str, range(1, 21)))
    assert run_py("-m", f"seed={seeds}", *TINY, "trainer.max_steps=5").returncode == 0
    memory = {record.seed: record.peak_memory_mb for _, record in find_records([tmp_path])[0]}
    assert len(memory) == 20
    assert memory[2] is not None
    assert memory[20] == pytest.approx(memory[2], rel=0.05)


@pytest.mark.parametrize(
    ("launcher", "number", "to_group", "status", "said"),
    [
        ("serial", signal.SIGINT, True, 130, "interrupted"),
        ("parallel", signal.SIGINT, False, 130, "interrupted"),
        ("parallel", signal.SIGTERM, True, 143, "stopped by SIGTERM"),
        ("serial", signal.SIGTERM, False, 143, "stopped by SIGTERM"),
    ],
)
def test_a_sweep_that_is_stopped_saves_and_says_how_to_go_on(
    tmp_path: Path, launcher: str, number: int, to_group: bool, status: int, said: str
) -> None:
    sweep = start(tmp_path, "-m", f"hydra/launcher={launcher}", "seed=1,2", *ENDLESS)
    at_once = 2 if launcher == "parallel" and (os.cpu_count() or 1) > 1 else 1
    for path in wait_for("last.ckpt", tmp_path, at_once):
        assert path.exists()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("last.ckpt")}
    time.sleep(0.2)
    asked = time.monotonic()
    (os.killpg if to_group else os.kill)(sweep.pid, number)
    _, errors = sweep.communicate(timeout=60)
    # Promised for SIGTERM; a machine with much else to do may take longer to get there.
    assert time.monotonic() - asked < 20
    assert sweep.returncode == status
    assert errors == f"{said}; the same command goes on with what is left\n"
    assert processes_at(tmp_path) == []
    assert not list(tmp_path.rglob("result.json"))
    for path, saved in before.items():
        # SIGTERM leaves no time to finish the validation of an epoch.
        assert path.stat().st_mtime_ns > saved or number == signal.SIGTERM
        torch.load(path, weights_only=True)


def test_a_sweep_that_is_killed_takes_its_runs_with_it(tmp_path: Path) -> None:
    sweep = start(tmp_path, *ENDLESS)
    (checkpoint,) = wait_for("last.ckpt", tmp_path)
    assert processes_at(tmp_path)
    sweep.kill()
    sweep.communicate(timeout=60)
    deadline = time.monotonic() + 20
    while processes_at(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_at(tmp_path) == []
    assert not list(checkpoint.parent.glob(".*"))
    assert not list(tmp_path.rglob("result.json"))


@pytest.mark.slow
def test_two_sweeps_at_once_share_the_work(tmp_path: Path) -> None:
    command = ["-m", "seed=1,2,3,4", *TINY[:-1], "trainer.max_epochs=3"]
    sweeps = [start(tmp_path, *command) for _ in range(2)]
    outputs = [sweep.communicate(timeout=200) for sweep in sweeps]
    assert [sweep.returncode for sweep in sweeps] == [0, 0], outputs
    runs = [path for path, record in find_records([tmp_path])[0] if record.status == COMPLETED]
    assert len(runs) == 4
    for run in runs:
        # Each epoch of each run was trained once.
        assert (run / "run.log").read_text().count("epoch 3/3") == 1
    tables = [
        [line for line in output.splitlines() if line.startswith(("* time", "  time"))]
        for output, _ in outputs
    ]
    # Four runs, and their mean.
    assert len(tables[0]) == 5
    assert tables[0] == tables[1]


def test_force_leaves_a_run_that_is_at_work_alone(run_py: Run, tmp_path: Path) -> None:
    sweep = start(tmp_path, *ENDLESS)
    (checkpoint,) = wait_for("last.ckpt", tmp_path)
    try:
        result = run_py(*ENDLESS, "force=true")
        assert result.returncode == 2
        assert result.stderr.startswith("force: time_machine lstm-embed seed 1 is being trained")
        assert checkpoint.exists()
    finally:
        os.killpg(sweep.pid, signal.SIGKILL)
        sweep.communicate()


def test_a_full_disk_is_a_clear_line_and_what_was_there_stays(run_py: Run, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small disk can be mounted by root only")
    try:
        small = ["-m", "output_dir=disk", *TINY]
        assert run_py(*small, "seed=1").returncode == 0
        before = {p: p.read_bytes() for p in disk.rglob("*") if p.is_file()}
        result = run_py(*small, "seed=1,2", "model.hidden_size=500", "trainer.max_steps=2")
        assert result.returncode == 1
        assert result.stderr.count("last.ckpt is full; with space on it, the same command") == 2
        assert "Traceback" not in result.stderr
        assert {p: p.read_bytes() for p in before if "seed" in str(p)} == {
            p: content for p, content in before.items() if "seed" in str(p)
        }
        for path, record in find_records([disk])[0]:
            assert json.loads((path / "result.json").read_text())["status"] == record.status
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_what_does_not_fit_into_memory_says_so(run_py: Run, tmp_path: Path) -> None:
    result = run_py(*TINY, "model.hidden_size=300000")
    assert result.returncode == 1
    ((_, record),) = find_records([tmp_path])[0]
    assert record.error is not None
    assert record.error.startswith("out of memory (")
    assert "a smaller data.batch_size" in record.error


def test_a_text_that_changes_is_another_run(run_py: Run, tmp_path: Path, text_file: Path) -> None:
    command = (*TINY, f"data.source={text_file}")
    assert run_py(*command).returncode == 0
    text_file.write_text(text_file.read_text().replace("Bob", "Rob"))
    assert run_py(*command).returncode == 0
    runs = find_records([tmp_path])[0]
    assert len(runs) == 2
    assert len({record.fingerprint for _, record in runs}) == 2
