"""Base of this project's launchers, and the launcher that `hydra/launcher` chooses."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus, run_job
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from rnnlm.hardware import is_gpu_error
from rnnlm.messages.legible import first_line
from rnnlm.options import OptionError, check, missing_extra
from rnnlm.runs.failure import reason
from rnnlm.sweep.hydra_internals import error_of, job_return
from rnnlm.sweep.launchers.options import ProcessOptions, SlurmOptions

# The end of messages about a value of `hydra.launcher`.
_NO_LAUNCHER = "is no launcher; hydra/launcher=auto, serial, parallel, slurm or basic chooses one"

# Called with a job's place in the list and its result, as soon as the job has ended.
OnEnd = Callable[[int, JobReturn], None]
Options = TypeVar("Options")


class ReportingLauncher(Launcher, Generic[Options]):
    """A launcher that reports every job when it ends, and not only all jobs at the end."""

    on_end: OnEnd = staticmethod(lambda index, returned: None)
    # The jobs run on other machines, which may have GPUs that this one has not.
    is_elsewhere = False

    def __init__(self, options: Options) -> None:
        self._options = options

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what Hydra gives its launchers before they launch."""
        self.hydra_context = hydra_context
        self.task_function = task_function
        self.config = config


class DiedError(Exception):
    """A job has ended without a record of how."""


class NeighbourError(DiedError):
    """A job has ended by what another one on its GPU may have caused."""


def failed_job(error: Exception) -> JobReturn:
    """Return the result of a job that an exception has ended."""
    return job_return(JobStatus.FAILED, error)


def run_hydra_job(context: HydraContext, task: TaskFunction, config: DictConfig) -> JobReturn:
    """Run a job with Hydra, and return the part of its result that any process can unpickle."""
    returned = run_job(
        hydra_context=context,
        task_function=task,
        config=config,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
    )
    if error := error_of(returned):
        kind = NeighbourError if is_gpu_error(error) else DiedError
        return failed_job(kind(reason(error)))
    return job_return(returned.status, returned.return_value)


def build_launcher(context: HydraContext, task: TaskFunction, config: DictConfig) -> Launcher:
    """Make the launcher that the configuration names: this project's, or a plugin of Hydra's.

    Hydra itself makes only launchers that are installed as plugins.

    Raises:
        OptionError: there is no such launcher, or it does not take its options.
    """
    chosen = config.hydra.launcher
    schema = OmegaConf.get_type(chosen) if OmegaConf.is_dict(chosen) else None
    if schema not in (ProcessOptions, SlurmOptions):
        return _plugin(context, task, config)
    known = [field.name for field in dataclasses.fields(schema)]
    for name in chosen:
        if name not in known:
            others = ", ".join(other for other in known if other != "_target_")
            raise OptionError(f"hydra.launcher.{name}", f"no such option, it takes {others}")
    options = cast(ProcessOptions | SlurmOptions, OmegaConf.to_object(chosen))
    check(options, "hydra.launcher.")
    if options._target_ != schema._target_:
        raise OptionError("hydra.launcher._target_", f"{options._target_!r} {_NO_LAUNCHER}")
    launcher = _launcher_class(schema._target_)(options)
    launcher.setup(hydra_context=context, task_function=task, config=config)
    return launcher


def _launcher_class(path: str) -> Callable[[Any], Launcher]:
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]
    except ModuleNotFoundError as error:
        if error.name != "submitit":
            raise
        raise missing_extra("hydra/launcher", "slurm") from error


def _plugin(context: HydraContext, task: TaskFunction, config: DictConfig) -> Launcher:
    chosen = config.hydra.launcher
    target = chosen.get("_target_") if OmegaConf.is_dict(chosen) else chosen
    if not OmegaConf.is_dict(chosen) or not isinstance(target, str):
        raise OptionError("hydra.launcher", f"{target!r} {_NO_LAUNCHER}")
    try:
        return Plugins.instance().instantiate_launcher(context, task, config)
    except Exception as error:
        problem = first_line(error.__cause__ or error)
        raise OptionError("hydra.launcher", f"{target!r} cannot be used: {problem}") from error
