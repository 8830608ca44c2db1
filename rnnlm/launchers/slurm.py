"""Runs on a Slurm cluster: an array job, a task of it for each run, by hydra-submitit-launcher.

What is ours here is the waiting. The plugin waits for one task after the other and gives up at the
first that fails, and it learns what has become of a task from Slurm's accounting, which a cluster
need not have.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn
from hydra_plugins.hydra_submitit_launcher import submitit_launcher
from hydra_plugins.hydra_submitit_launcher.config import BaseQueueConf
from omegaconf import OmegaConf

from rnnlm.launchers.launcher import DiedError, ReportingLauncher, failed, to_be_sent
from rnnlm.options import OptionError

SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_BETWEEN_QUERIES = 5.0
# What a result may take to be seen on a shared file system after its task has left the queue.
SECONDS_TO_APPEAR = 15.0
# What tasks that are to stop get to save, before they are ended.
SECONDS_TO_SAVE, SECONDS_TO_SAVE_ON_SIGTERM = 60.0, 4.0


class SlurmLauncher(submitit_launcher.SlurmLauncher, ReportingLauncher):  # type: ignore[misc]
    """Submits the runs as one array job and waits for them all, whatever becomes of any.

    A task whose time is up saves, and is queued again by submitit; one that is pre-empted saves,
    and is queued again by Slurm, if the cluster is set up so. Either goes on from `last.ckpt`.
    """

    def setup(self, **context: Any) -> None:
        """As Hydra sets up its launchers.

        Raises:
            OptionError: there is no Slurm here.
        """
        if shutil.which("sbatch") is None:
            raise OptionError("hydra/launcher", "slurm is not on this machine, there is no sbatch")
        submitit_launcher.SlurmLauncher.setup(self, **context)

    def __getstate__(self) -> dict[str, Any]:
        """What a task needs of the launcher; who waits for it stays here."""
        return {name: value for name, value in vars(self).items() if name != "on_end"}

    def __call__(
        self,
        sweep_overrides: list[str],
        job_dir_key: str,
        job_num: int,
        job_id: str,
        singleton_state: dict[type, Singleton],
    ) -> JobReturn:
        """What a task does: one run, with the threads that Slurm has given it."""
        if "OMP_NUM_THREADS" not in os.environ and "SLURM_CPUS_PER_TASK" in os.environ:
            torch.set_num_threads(int(os.environ["SLURM_CPUS_PER_TASK"]))
        return to_be_sent(
            super().__call__(sweep_overrides, job_dir_key, job_num, job_id, singleton_state)
        )

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run every job; Ctrl-C and SIGTERM cancel them, upon which those at work save."""
        executor = self._executor(len(job_overrides))
        state = Singleton.get_state()
        calls = [
            (list(overrides), "hydra.sweep.dir", index, f"job_id_for_{index}", state)
            for index, overrides in enumerate(job_overrides, initial_job_idx)
        ]
        jobs = executor.map_array(self, *zip(*calls, strict=True))
        print(f"submitted to Slurm as job {jobs[0].job_id.partition('_')[0]}", flush=True)
        try:
            return self._wait(jobs)
        except KeyboardInterrupt:
            _cancel(jobs[0].job_id.partition("_")[0], SECONDS_TO_SAVE)
            raise
        except BaseException:
            _cancel(jobs[0].job_id.partition("_")[0], SECONDS_TO_SAVE_ON_SIGTERM)
            raise

    def _executor(self, num_jobs: int) -> Any:
        """submitit's, with the options of `hydra.launcher`."""
        import submitit

        options = dict(self.params)
        folder = options.pop("submitit_folder")
        max_num_timeout = options.pop("max_num_timeout")
        if self.config.trainer.accelerator in ("gpu", "cuda"):
            options["gpus_per_node"] = options["gpus_per_node"] or 1
        general = set(OmegaConf.structured(BaseQueueConf))
        executor = submitit.AutoExecutor(
            folder=Path(folder).absolute(), cluster="slurm", slurm_max_num_timeout=max_num_timeout
        )
        executor.update_parameters(
            **{
                name if name in general else f"slurm_{name}": value
                for name, value in options.items()
            }
        )
        return executor

    def _wait(self, jobs: Sequence[Any]) -> list[JobReturn]:
        """What came of each job, by its result or by its having left the queue without one."""
        returns: dict[int, JobReturn] = {}
        left_at: dict[int, float] = {}
        asked = 0.0
        while len(returns) < len(jobs):
            if time.monotonic() - asked > SECONDS_BETWEEN_QUERIES:
                asked = time.monotonic()
                queued = _queued(jobs[0].job_id.partition("_")[0])
            for index, job in enumerate(jobs):
                if index in returns:
                    continue
                if job.paths.result_pickle.exists():
                    returns[index] = _result(job)
                elif queued is not None and job.job_id not in queued:
                    gone = left_at.setdefault(index, time.monotonic())
                    if time.monotonic() - gone < SECONDS_TO_APPEAR:
                        continue
                    returns[index] = failed(DiedError(_how_it_ended(job)))
                else:
                    left_at.pop(index, None)
                    continue
                self.on_end(index, returns[index])
            time.sleep(SECONDS_BETWEEN_LOOKS)
        return [returns[index] for index in range(len(jobs))]


def _queued(job_id: str) -> set[str] | None:
    """The tasks of an array job that wait or run; None where Slurm does not say."""
    command = ["squeue", "--noheader", "--array", "--format=%i", f"--jobs={job_id}"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode == 0:
        return set(answer.stdout.split())
    return set() if "Invalid job id" in answer.stderr else None


def _cancel(job_id: str, seconds: float) -> None:
    """Drop the tasks that wait, ask those at work to save and stop, and end those that have not."""

    def scancel(*options: str) -> None:
        subprocess.run(["scancel", *options, job_id], capture_output=True, check=False)

    deadline = time.monotonic() + seconds
    try:
        scancel("--state=PENDING")
        scancel("--signal=TERM")
        while _queued(job_id) and time.monotonic() < deadline:
            time.sleep(SECONDS_BETWEEN_LOOKS)
    finally:
        scancel()


def _result(job: Any) -> JobReturn:
    try:
        (returned,) = job.results()
    except Exception as error:
        return failed(DiedError(next(iter(str(error).splitlines()), type(error).__name__)))
    assert isinstance(returned, JobReturn)
    return returned


def _how_it_ended(job: Any) -> str:
    return (
        f"its Slurm job {job.job_id} was killed or cancelled, or has run out of time or memory; "
        f"see {job.paths.stderr}"
    )
