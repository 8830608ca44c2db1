"""Searching among runs instead of sweeping a grid: `hydra/sweeper=optuna` and its like.

A sweeper of Hydra's asks for runs in batches and is told the validation loss of each.
"""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Callable, Sequence
from typing import Any

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.errors import HydraException
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from rnnlm.options import OptionError
from rnnlm.plugin_options import TARGET, check_plugin, plugin_class
from rnnlm.results.record import COMPLETED, Record

GRID = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
# The least and the most that Optuna's sweeper takes, and does not check.
_BOUNDS: dict[str, tuple[float, float]] = {
    "n_trials": (1, math.inf),
    "n_jobs": (1, math.inf),
    "max_failure_rate": (0, 1),
}
# Given the overrides of some cells, runs them and returns the record of each.
RunCells = Callable[[Sequence[Sequence[str]]], Sequence[Record | None]]


class LauncherOfSearch(Launcher):
    """What a sweeper takes for its launcher: runs a batch, and says what it was worth."""

    def __init__(self, run_cells: RunCells) -> None:
        self._run_cells = run_cells
        self.has_begun = False

    def setup(self, **_: Any) -> None:
        """There is nothing to set up."""

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run a batch; the value of a run is its best validation loss, in nats per token.

        That of a failed run is infinite: the search goes on, elsewhere.
        """
        self.has_begun = True
        return [
            JobReturn(status=JobStatus.COMPLETED, _return_value=_loss(record))
            for record in self._run_cells(job_overrides)
        ]


def is_search(master: DictConfig) -> bool:
    """Whether another sweeper than that of grids is asked for."""
    return bool(master.hydra.sweeper._target_ != GRID)


def check_sweeper(master: DictConfig) -> None:
    """See that `hydra.sweeper.*` is what a sweeper takes.

    Raises:
        OptionError: names the option that is wrong.
    """
    options = OmegaConf.to_container(master.hydra.sweeper, resolve=True)
    check_plugin(options, "hydra.sweeper", Sweeper, "sweeper")
    assert isinstance(options, dict)
    for name, bounds in _BOUNDS.items():
        value = options.get(name)
        if isinstance(value, int | float) and not bounds[0] <= value <= bounds[1]:
            takes = (
                f"{bounds[0]} to {bounds[1]}" if bounds[1] < math.inf else f"at least {bounds[0]}"
            )
            raise OptionError(f"hydra.sweeper.{name}", f"{value} is out of range, it takes {takes}")
    if isinstance(sampler := options.get("sampler"), dict):
        from optuna.logging import set_verbosity
        from optuna.samplers import BaseSampler

        set_verbosity(logging.WARNING)  # the sweep itself tells of each trial
        path = str(sampler.get(TARGET))
        plugin_class(path, f"hydra.sweeper.sampler.{TARGET}", BaseSampler, "sampler of Optuna")


def search(
    context: HydraContext,
    task: TaskFunction,
    master: DictConfig,
    arguments: list[str],
    run_cells: RunCells,
) -> None:
    """Let the sweeper that the configuration names choose the runs.

    Raises:
        OptionError: the sweeper does not take what it is given.
    """
    config = copy.deepcopy(master)
    with open_dict(config):
        # A sweeper makes its own launcher, of Hydra's plugins; it gets another below.
        config.hydra.launcher = {
            "_target_": "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
        }
    launcher = LauncherOfSearch(run_cells)
    try:
        sweeper = Plugins.instance().instantiate_sweeper(
            hydra_context=context, task_function=task, config=config
        )
        # The plugins keep what they do in an object of its own, so as to be found faster.
        inner: Any = getattr(sweeper, "sweeper", sweeper)
        inner.launcher = launcher
        sweeper.sweep(arguments)
    except (OptionError, HydraException, OmegaConfBaseException):
        raise
    except Exception as error:
        if launcher.has_begun:
            raise
        # Whatever it is, the sweeper has looked at nothing yet but its options.
        problem = next(iter(str(error).splitlines()), type(error).__name__)
        raise OptionError("hydra/sweeper", f"it cannot search so: {problem}") from error


def _loss(record: Record | None) -> float:
    if record is None or record.status != COMPLETED or record.validation is None:
        return math.inf
    return record.validation["loss"]
