"""What the launchers of this project have in common, and how one is made from `hydra/launcher`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from hydra.utils import get_class
from omegaconf import DictConfig, OmegaConf

from rnnlm.failure import reason

# Given the place of a job in the list and what came of it, as soon as it has ended.
OnEnd = Callable[[int, JobReturn], None]


class ReportingLauncher(Launcher):
    """A launcher that tells of every job when it ends, and not only of all at the end."""

    on_end: OnEnd = staticmethod(lambda index, returned: None)


class DiedError(Exception):
    """A job has come to an end without having written down how it went."""


def failed(error: Exception) -> JobReturn:
    """What came of a job that an exception ended."""
    return JobReturn(status=JobStatus.FAILED, _return_value=error)


def to_be_sent(returned: JobReturn) -> JobReturn:
    """Of what came of a job only what is read elsewhere, which any process can unpickle."""
    if returned.status == JobStatus.FAILED:
        return failed(DiedError(reason(returned._return_value)))
    return JobReturn(status=returned.status, _return_value=returned._return_value)


def build_launcher(context: HydraContext, task: TaskFunction, config: DictConfig) -> Launcher:
    """The launcher that the configuration names: one of this project, or a plugin of Hydra's.

    Hydra's own way to make one takes nothing but installed plugins.
    """
    options: Any = OmegaConf.to_container(config.hydra.launcher, resolve=True)
    target = options.pop("_target_")
    if not target.startswith("rnnlm."):
        return Plugins.instance().instantiate_launcher(context, task, config)
    launcher = get_class(target)(**options)
    assert isinstance(launcher, Launcher)
    launcher.setup(hydra_context=context, task_function=task, config=config)
    return launcher
