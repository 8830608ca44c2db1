"""Options of this project's launchers, `hydra.launcher.*`.

This file imports no launcher: the options exist even if submitit is not installed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore

from rnnlm.options import option


@dataclass
class ProcessOptions:
    """Options of `hydra/launcher=auto`, `serial` and `parallel`."""

    _target_: str = "rnnlm.sweep.launchers.processes.ProcessLauncher"
    # None: `runs_per_gpu` for each GPU, or on CPUs 1.
    runs_at_once: int | None = option(None, minimum=1)
    # On CPUs, None means as many as there are cores.
    one_run_per_core: bool = False


@dataclass
class SlurmOptions:
    """Options of `hydra/launcher=slurm`; those without a comment are sbatch's."""

    _target_: str = "rnnlm.sweep.launchers.slurm.SlurmLauncher"
    # Folder of the tasks and their output, on a disk that all machines share.
    submitit_folder: str = "${hydra.sweep.dir}/.submitit"
    name: str = "rnnlm"
    timeout_min: int = option(60, minimum=1)
    # A run is told this long before its limit to save, and is queued again.
    signal_delay_s: int = option(120, minimum=1)
    # A run is queued again at most this many times, and only if it has saved something new.
    max_num_timeout: int = option(1000, minimum=0)
    # The most tasks that run at once.
    array_parallelism: int = option(256, minimum=1)
    cpus_per_task: int | None = option(None, minimum=1)
    # None: 1 if `trainer.accelerator` requires a GPU and no other option asks for GPUs.
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
    # Shell commands that come before each run.
    setup: list[str] | None = None
    # More options of sbatch, by its own names: `{mail-user: me@example.org}`.
    additional_parameters: dict[str, Any] = field(default_factory=dict)


def register_launcher_options() -> None:
    """Give Hydra the schemas that the files of `conf/hydra/launcher` fill in."""
    store = ConfigStore.instance()
    store.store(group="hydra/launcher/schema", name="process", node=ProcessOptions)
    store.store(group="hydra/launcher/schema", name="slurm", node=SlurmOptions)
