"""A task of Slurm's array job: one run, which is queued again when its time limit ends."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict
from submitit import JobEnvironment
from submitit.core.utils import DelayedSubmission

from rnnlm.files.run_files import RECORD, last_checkpoint
from rnnlm.sweep.launchers.launcher import run_hydra_job


class TimeLimitError(Exception):
    """The time limit of a Slurm task ended before its run had saved anything new."""


@dataclass
class SlurmTask:
    """One run. submitit calls it, and calls `checkpoint` when its time is up."""

    context: HydraContext
    task_function: TaskFunction
    config: DictConfig
    overrides: list[str]
    number: int
    # From the start until Slurm signals that the time limit is near.
    seconds: float
    singletons: dict[type, Singleton]
    # Set when the task starts: the time, the run's folder, and when the run was last saved.
    started: float = field(init=False)
    folder: Path = field(init=False)
    saved: int | None = field(init=False)

    def __call__(self) -> JobReturn:
        """Carry out the run, with as many threads as Slurm has given it cores."""
        self.started = time.monotonic()
        if "OMP_NUM_THREADS" not in os.environ and "SLURM_CPUS_PER_TASK" in os.environ:
            torch.set_num_threads(int(os.environ["SLURM_CPUS_PER_TASK"]))
        Singleton.set_state(self.singletons)
        setup_globals()
        config = self.context.config_loader.load_sweep_config(self.config, self.overrides)
        with open_dict(config):
            config.hydra.job.id = JobEnvironment().job_id
            config.hydra.job.num = self.number
        self.folder = Path(config.hydra.sweep.dir, config.hydra.sweep.subdir)
        self.saved = newest_save(self.folder)
        return run_hydra_job(self.context, self.task_function, config)

    def checkpoint(self) -> DelayedSubmission:
        """Return the task to queue next: the same run, which goes on from what it has saved.

        Raises:
            TimeLimitError: it would get no further. A task that Slurm has pre-empted early is
                queued again in any case.
        """
        lasted = time.monotonic() - self.started
        if lasted > self.seconds / 2 and newest_save(self.folder) == self.saved:
            raise TimeLimitError(
                "nothing new could be saved before the time was up, so it would never end; "
                "a longer hydra.launcher.timeout_min is needed"
            )
        return DelayedSubmission(self)


def newest_save(folder: Path) -> int | None:
    """Return when a run, or an adaptation variant of it, was last saved, in ns since the epoch."""
    names = (last_checkpoint(folder).name, RECORD)
    saved = [path.stat().st_mtime_ns for path in folder.rglob("*") if path.name in names]
    return max(saved, default=None)
