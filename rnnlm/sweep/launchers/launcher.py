"""What the launchers of this project have in common, and how one is made from `hydra/launcher`."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable
from typing import Any, cast

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from rnnlm.options import OptionError, check
from rnnlm.runs.failure import reason
from rnnlm.sweep.hydra_internals import error_of, job_return
from rnnlm.sweep.launchers.options import ProcessOptions, SlurmOptions

# What is said of a value in the place of a launcher.
_NO_LAUNCHER = "is no launcher; hydra/launcher=serial, parallel, slurm or basic chooses one"

# Given the place of a job in the list and what came of it, as soon as it has ended.
OnEnd = Callable[[int, JobReturn], None]


class ReportingLauncher(Launcher):
    """A launcher that tells of every job when it ends, and not only of all at the end."""

    on_end: OnEnd = staticmethod(lambda index, returned: None)


class DiedError(Exception):
    """A job has come to an end without having written down how it went."""


def failed(error: Exception) -> JobReturn:
    """What came of a job that an exception ended."""
    return job_return(JobStatus.FAILED, error)


def to_be_sent(returned: JobReturn) -> JobReturn:
    """The part of what came of a job that is read elsewhere, which any process can unpickle."""
    if error := error_of(returned):
        return failed(DiedError(reason(error)))
    return job_return(returned.status, returned.return_value)


def build_launcher(context: HydraContext, task: TaskFunction, config: DictConfig) -> Launcher:
    """The launcher that the configuration names: one of this project, or a plugin of Hydra's.

    Hydra's own way to make one takes nothing but installed plugins.

    Raises:
        OptionError: there is no such launcher, or it does not take what it is given.
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
        raise OptionError(
            "hydra/launcher", "slurm needs the extra of that name, pip install -e '.[slurm]'"
        ) from error


def _plugin(context: HydraContext, task: TaskFunction, config: DictConfig) -> Launcher:
    chosen = config.hydra.launcher
    target = chosen.get("_target_") if OmegaConf.is_dict(chosen) else chosen
    if not OmegaConf.is_dict(chosen) or not isinstance(target, str):
        raise OptionError("hydra.launcher", f"{target!r} {_NO_LAUNCHER}")
    try:
        return Plugins.instance().instantiate_launcher(context, task, config)
    except Exception as error:
        problem = str(error.__cause__ or error).splitlines()[0]
        raise OptionError("hydra.launcher", f"{target!r} cannot be used: {problem}") from error
