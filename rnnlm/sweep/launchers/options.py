"""The options of the launchers of this project, `hydra.launcher.*`, typed as all options are.

This file imports no launcher: the options are known where what a launcher needs is not installed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore

from rnnlm.options import option


@dataclass
class ProcessOptions:
    """The options of `hydra/launcher=serial` and `hydra/launcher=parallel`."""

    _target_: str = "rnnlm.sweep.launchers.processes.ProcessLauncher"
    # None is as many as the machine has GPUs, times `runs_per_gpu`, if the runs train on such, and
    # else as it has cores.
    runs_at_once: int | None = option(1, minimum=1)


@dataclass
class SlurmOptions:
    """The options of `hydra/launcher=slurm`; those without a comment are sbatch's of that name."""

    _target_: str = "rnnlm.sweep.launchers.slurm.SlurmLauncher"
    # Where the tasks and what they print are kept, on a disk that all machines share.
    submitit_folder: str = "${hydra.sweep.dir}/.submitit"
    name: str = "rnnlm"
    timeout_min: int = option(60, minimum=1)
    # How long before the limit a run is told to save and is queued again.
    signal_delay_s: int = option(120, minimum=1)
    # How often that may be; a run that has saved nothing new is not queued again.
    max_num_timeout: int = option(1000, minimum=0)
    # How many runs may be at work at once.
    array_parallelism: int = option(256, minimum=1)
    cpus_per_task: int | None = option(None, minimum=1)
    # 1 where `trainer.accelerator` is a GPU.
    gpus_per_node: int | None = option(None, minimum=1)
    gpus_per_task: int | None = option(None, minimum=1)
    cpus_per_gpu: int | None = option(None, minimum=1)
    mem_gb: float | None = option(None, above=0)
    mem_per_cpu: str | None = None
    mem_per_gpu: str | None = None
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    exclude: str | None = None
    gres: str | None = None
    comment: str | None = None
    stderr_to_stdout: bool = False
    # Commands of the shell that come before each run.
    setup: list[str] | None = None
    # What sbatch takes besides, by its own names: `{mail-user: me@example.org}`.
    additional_parameters: dict[str, Any] = field(default_factory=dict)


def register_launcher_options() -> None:
    """Give Hydra the schemas, which the files of `conf/hydra/launcher` then fill in."""
    store = ConfigStore.instance()
    store.store(group="hydra/launcher/schema", name="process", node=ProcessOptions)
    store.store(group="hydra/launcher/schema", name="slurm", node=SlurmOptions)
