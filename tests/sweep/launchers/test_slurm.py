"""rnnlm/sweep/launchers/slurm.py: on a real cluster of one node, which the test starts."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch

from rnnlm.results.record import COMPLETED, FAILED, find_records
from tests.conftest import ROOT, TINY, Run
from tests.support.sweeps import ENDLESS, SABOTAGE, metrics_of, start, wait_for

SETTINGS = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=10
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
KillWait=10
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
MailProg=/bin/true
SchedulerParameters=batch_sched_delay=0,sched_interval=1
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores}
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str | None:
    """Why there can be no cluster here."""
    if os.name != "posix" or os.geteuid() != 0:
        return "only root can start a cluster"
    path = f"{os.environ['PATH']}:/usr/sbin"
    for program in ("slurmctld", "slurmd", "munged", "sbatch"):
        if not shutil.which(program, path=path):
            return f"{program} is not installed (Debian's slurm-wlm and munge)"
    return None


@pytest.fixture(scope="module")
def slurm() -> Iterator[None]:
    if reason := missing():
        pytest.skip(reason)
    # pytest's folders are their user's alone, and munged is another.
    with TemporaryDirectory(prefix="slurm-") as folder:
        yield from cluster(Path(folder))


def cluster(folder: Path) -> Iterator[None]:
    """A cluster of one node whose files are in the folder, until the tests are through with it."""
    folder.chmod(0o755)
    settings = SETTINGS.format(
        host=socket.gethostname().partition(".")[0],
        controller=free_port(),
        node=free_port(),
        folder=folder,
        cores=os.cpu_count(),
    )
    (folder / "slurm.conf").write_text(settings)
    (folder / "state").mkdir()
    (folder / "spool").mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    shutil.chown(folder, "munge")
    shutil.chown(key, "munge")
    key.chmod(0o400)
    munged = [
        "/usr/sbin/munged",
        "--foreground",
        "--force",
        f"--key-file={key}",
        f"--socket={folder}/munge.socket",
        f"--pid-file={folder}/munged.pid",
        f"--log-file={folder}/munged.log",
        f"--seed-file={folder}/munged.seed",
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
        patch.setenv("PATH", f"{os.environ['PATH']}:/usr/sbin")
        daemons = [
            subprocess.Popen(munged, user="munge", stderr=subprocess.DEVNULL),
        ]
        try:
            wait_until(lambda: (folder / "munge.socket").exists())
            for command in (["slurmctld", "-D"], ["slurmd", "-D"]):
                log = (folder / f"{command[0]}.out").open("w")
                daemons.append(subprocess.Popen(command, stdout=log, stderr=log))
                log.close()
            wait_until(lambda: "idle" in output("sinfo", "--noheader", "--format=%T"))
            yield
        finally:
            subprocess.run(["scancel", "--user=root"], capture_output=True, check=False)
            for daemon in reversed(daemons):
                daemon.terminate()
                try:
                    daemon.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    daemon.kill()
                    daemon.wait()


def free_port() -> int:
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        port: int = any_port.getsockname()[1]
        return port


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


SLURM = ["hydra/launcher=slurm", "hydra.launcher.cpus_per_task=1", "hydra.launcher.timeout_min=10"]


@pytest.mark.slow
def test_an_array_of_runs_in_which_one_is_killed_and_one_raises(
    slurm: None, run_py: Run, tmp_path: Path
) -> None:
    command = ["-m", *SLURM, "hydra.launcher.partition=all", "hydra.launcher.array_parallelism=2"]
    command += ["optimizer.lr=0.1,0.2,0.3", *TINY]
    result = run_py(*command, SABOTAGE, PYTHONPATH=str(ROOT))
    assert result.returncode == 1, result.stderr
    found = {record.overrides[0]: record for _, record in find_records([tmp_path])[0]}
    assert found["optimizer.lr=0.1"].status == COMPLETED
    assert found["optimizer.lr=0.2"].error == "RuntimeError: sabotage"
    assert found["optimizer.lr=0.3"].status == FAILED
    assert (found["optimizer.lr=0.3"].error or "").startswith("its Slurm job ")
    assert "submitted to Slurm as job " in result.stdout
    assert len([line for line in result.stdout.splitlines() if " time_machine " in line]) >= 4

    again = run_py(*command, PYTHONPATH=str(ROOT))
    assert again.returncode == 0, again.stderr
    assert {record.status for _, record in find_records([tmp_path])[0]} == {COMPLETED}
    assert run_py("-m", "output_dir=here", *command[-5:]).returncode == 0
    assert metrics_of(tmp_path / "outputs") == metrics_of(tmp_path / "here")


@pytest.mark.slow
def test_a_run_whose_time_is_up_is_queued_again_and_goes_on(
    slurm: None, run_py: Run, tmp_path: Path
) -> None:
    options = [*TINY[:-1], "trainer.max_epochs=8", "checkpoint.train_time_interval=0.1"]
    sweep = start(tmp_path, "-m", *SLURM, *options)
    wait_for("last.ckpt", tmp_path)
    (job,) = output("squeue", "--noheader", "--format=%i").split()
    subprocess.run(["scancel", "--signal=USR2", job], check=True)
    _, errors = sweep.communicate(timeout=200)
    assert sweep.returncode == 0, errors
    (log,) = (path.read_text() for path in tmp_path.rglob("run.log"))
    assert "stopped by SIGUSR2" in log
    assert "going on from step" in log
    assert run_py(*options, "output_dir=alone").returncode == 0
    assert metrics_of(tmp_path / "outputs") == metrics_of(tmp_path / "alone")


def test_ctrl_c_cancels_the_runs_which_save(slurm: None, tmp_path: Path) -> None:
    sweep = start(tmp_path, "-m", *SLURM, *ENDLESS)
    (checkpoint,) = wait_for("last.ckpt", tmp_path)
    os.killpg(sweep.pid, signal.SIGINT)
    _, errors = sweep.communicate(timeout=60)
    assert sweep.returncode == 130
    assert errors.endswith("interrupted; the same command goes on with what is left\n")
    wait_until(lambda: not output("squeue", "--noheader").strip())
    torch.load(checkpoint, weights_only=True)
    assert "stopped by SIGTERM" in next(tmp_path.rglob("run.log")).read_text()
    assert not list(tmp_path.rglob("result.json"))


def test_without_slurm_one_line_says_so(run_py: Run, tmp_path: Path) -> None:
    result = run_py("-m", "hydra/launcher=slurm", *TINY, PATH=str(Path(sys.executable).parent))
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("hydra/launcher: ")
