"""rnnlm/sweep/launchers/slurm.py where Slurm refuses or is silent."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from hydra.types import HydraContext
from omegaconf import OmegaConf
from submitit.core.utils import cloudpickle_dump

from rnnlm.signals.exit_status import INTERRUPTED_STATUS
from rnnlm.sweep.command_line import USAGE_STATUS, main
from rnnlm.sweep.hydra_internals import error_of
from rnnlm.sweep.launchers import slurm, slurm_commands
from rnnlm.sweep.launchers.launcher import DiedError
from rnnlm.sweep.launchers.slurm_task import SlurmTask, TimeLimitError, newest_save
from rnnlm.sweep.worker import run_one
from tests.conftest import ROOT, TINY

SLURM = ["run.py", "-m", "hydra/launcher=slurm", "seed=1,2", *TINY]


class Slurm:
    """Slurm's commands, in a folder that comes first on PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("sbatch", "srun", "squeue", "scancel"):
            self.command(name, "exit 0")

    def command(self, name: str, script: str) -> None:
        path = self.folder / name
        calls = self.folder / "calls"
        path.write_text(f'#!/bin/sh\necho {name} "$@" >> {calls}\n{script}\n')
        path.chmod(0o755)

    def calls(self, name: str) -> list[str]:
        if not (self.folder / "calls").exists():
            return []
        lines = (self.folder / "calls").read_text().splitlines()
        return [line for line in lines if line.startswith(f"{name} ")]


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Slurm:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(slurm, "SECONDS_BETWEEN_RESULT_CHECKS", 0.05)
    monkeypatch.setattr(slurm_commands, "SECONDS_BETWEEN_CHECKS", 0.05)
    return Slurm(folder)


def sweep(monkeypatch: pytest.MonkeyPatch, *overrides: str) -> int:
    monkeypatch.setattr(sys, "argv", [*SLURM, *overrides])
    return main(run_one, ROOT / "conf", "config")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            "echo 'sbatch: error: Batch job submission failed: Invalid job array' >&2; exit 1",
            "Batch job submission failed: Invalid job array",
        ),
        (
            "echo 'sbatch: error: invalid partition specified: x' >&2\n"
            "echo 'sbatch: error: Batch job submission failed: Invalid partition' >&2; exit 1",
            "invalid partition specified: x; Batch job submission failed: Invalid partition",
        ),
        ("exit 3", "sbatch ended with status 3"),
        ("echo hello", "sbatch gave no job number but 'hello'"),
    ],
)
def test_a_refused_job_is_one_line_and_leaves_nothing(
    script: str,
    said: str,
    commands: Slurm,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    commands.command("sbatch", script)
    assert sweep(monkeypatch) == USAGE_STATUS
    output = capsys.readouterr()
    assert output.err == f"hydra/launcher: Slurm refused the job: {said}\n"
    assert output.out == ""
    assert [path for path in Path("outputs").rglob("*") if path.is_file()] == []


def test_an_sbatch_that_does_not_answer_is_given_up_and_its_job_taken_back(
    commands: Slurm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(slurm_commands, "SECONDS_TO_ANSWER", 0.5)
    queue = commands.folder / "queue"
    commands.command("sbatch", f'echo "41 $2" > {queue}; exec sleep 60')
    commands.command("squeue", f"cat {queue}")
    assert sweep(monkeypatch) == USAGE_STATUS
    line = capsys.readouterr().err
    assert line.startswith("hydra/launcher: Slurm refused the job: sbatch has not answered in ")
    assert line.count("\n") == 1
    assert commands.calls("scancel") == ["scancel 41"]


def test_ctrl_c_while_sbatch_is_at_work_takes_back_what_it_queued(
    commands: Slurm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands.command("sbatch", "kill -INT $PPID; sleep 0.3; echo 77")
    assert sweep(monkeypatch) == INTERRUPTED_STATUS
    assert "interrupted" in capsys.readouterr().err
    assert commands.calls("scancel")[-1] == "scancel 77"
    assert not list(Path("outputs").rglob("result.json"))


def test_the_end_of_a_terminal_leaves_the_job_in_the_queue(
    commands: Slurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang_up(*_: object) -> None:
        raise ConnectionResetError

    before = signal.signal(signal.SIGHUP, hang_up)
    try:
        commands.command("sbatch", "kill -HUP $PPID; echo 78")
        sweep(monkeypatch)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert commands.calls("scancel") == []
    (folder,) = Path("outputs/.submitit").iterdir()
    assert {path.name for path in folder.glob("*.pkl")} == {
        "78_0_submitted.pkl",
        "78_1_submitted.pkl",
    }


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (["hydra.launcher.timeout_min=2"], "hydra.launcher.timeout_min: 2 is no more than"),
        (["hydra.launcher.timeout_min=abc"], "hydra.launcher.timeout_min: Value 'abc'"),
        (["hydra.launcher.mem_gb=-1"], "hydra.launcher.mem_gb: -1.0 is out of range"),
        (["+hydra.launcher.nosuch=1"], "hydra.launcher.nosuch: no such option, it takes submi"),
        (["output_dir='runs/%j'"], "output_dir: "),
        (["output_dir='50%'"], "output_dir: "),
        (["hydra.launcher.submitit_folder='x/%a'"], "hydra.launcher.submitit_folder: "),
    ],
)
def test_what_slurm_could_not_carry_out_is_refused_before_anything_is_queued(
    overrides: list[str],
    line: str,
    commands: Slurm,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert sweep(monkeypatch, *overrides) == USAGE_STATUS
    said = capsys.readouterr().err
    assert said.startswith(line)
    assert said.count("\n") == 1
    assert commands.calls("sbatch") == []
    assert list(Path().iterdir()) == []


def test_a_percent_sign_is_no_matter_where_slurms_files_are_elsewhere(
    commands: Slurm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands.command("sbatch", "exit 4")
    elsewhere = f"hydra.launcher.submitit_folder={commands.folder.parent / 'elsewhere'}"
    assert sweep(monkeypatch, "output_dir='50%'", elsewhere) == USAGE_STATUS
    assert len(commands.calls("sbatch")) == 1
    assert "sbatch ended with status 4" in capsys.readouterr().err


def test_a_run_that_saves_nothing_in_its_time_is_not_queued_again(tmp_path: Path) -> None:
    context = cast(HydraContext, SimpleNamespace())
    task = SlurmTask(context, lambda config: None, OmegaConf.create(), [], 0, 60.0, {})
    task.folder, task.saved = tmp_path, newest_save(tmp_path)
    task.started = time.monotonic()
    assert task.checkpoint().function is task  # pre-empted early: it may come further
    task.started -= 50
    with pytest.raises(TimeLimitError, match="timeout_min"):
        task.checkpoint()
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "last.ckpt").touch()
    assert task.checkpoint().function is task


def test_what_a_task_could_not_say_is_told_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "result.pkl"
    cloudpickle_dump(("error", "Traceback\n  somewhere\nOSError: no space\n"), path)
    assert str(error_of(slurm.result_of(path))) == "OSError: no space"
    path.write_bytes(b"\x80")
    assert isinstance(error_of(slurm.result_of(path)), DiedError)


@pytest.mark.parametrize(
    ("overrides", "asked"),
    [
        (["trainer=gpu"], "--gpus-per-node=1"),
        (["trainer=gpu", "hydra.launcher.gpus_per_node=2"], "--gpus-per-node=2"),
        (["trainer=gpu", "hydra.launcher.gpus_per_task=1"], "--gpus-per-task=1"),
        (["trainer=gpu", "hydra.launcher.gres=gpu:a100:1"], "--gres=gpu:a100:1"),
        (["trainer=gpu", "+hydra.launcher.additional_parameters.gpus=1"], "--gpus=1"),
        (["hydra.launcher.gres=gpu:1"], "--gres=gpu:1"),
        (["trainer=gpu", "hydra.launcher.gres=disk:10"], "--gres=disk:10 --gpus-per-node=1"),
    ],
)
def test_a_gpu_is_asked_for_as_given_although_this_machine_has_none(
    overrides: list[str],
    asked: str,
    commands: Slurm,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    commands.command("sbatch", f"cp $2 {commands.folder}/script; kill -INT $PPID; echo 77")
    assert sweep(monkeypatch, *overrides) == INTERRUPTED_STATUS
    assert "asked for no GPU" not in capsys.readouterr().out
    lines = (commands.folder / "script").read_text().splitlines()
    found = [line for line in lines if line.startswith(("#SBATCH --gpus", "#SBATCH --gres"))]
    assert sorted(found) == sorted(f"#SBATCH {option}" for option in asked.split())


def test_that_no_gpu_was_asked_for_is_said(
    commands: Slurm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands.command("sbatch", "kill -INT $PPID; echo 77")
    assert sweep(monkeypatch) == INTERRUPTED_STATUS
    said = "submitted to Slurm as job 77\nSlurm was asked for no GPU; trainer=gpu asks for one\n"
    assert capsys.readouterr().out == said
    assert sweep(monkeypatch, "trainer=cpu") == INTERRUPTED_STATUS
    assert capsys.readouterr().out == "submitted to Slurm as job 77\n"
