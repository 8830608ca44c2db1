"""Searching among runs instead of sweeping a grid: `hydra/sweeper=optuna` and its like.

A sweeper of Hydra's asks for runs in batches and is told the validation loss of each.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

from rnnlm.results.record import COMPLETED, Record

GRID = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
# Given the overrides of some cells, runs them and returns the record of each.
RunCells = Callable[[Sequence[Sequence[str]]], Sequence[Record | None]]


class LauncherOfSearch(Launcher):
    """What a sweeper takes for its launcher: runs a batch, and says what it was worth."""

    def __init__(self, run_cells: RunCells) -> None:
        self._run_cells = run_cells

    def setup(self, **_: Any) -> None:
        """There is nothing to set up."""

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run a batch; the value of a run is its best validation loss, in nats per token.

        That of a failed run is infinite: the search goes on, elsewhere.
        """
        return [
            JobReturn(status=JobStatus.COMPLETED, _return_value=_loss(record))
            for record in self._run_cells(job_overrides)
        ]


def is_search(master: DictConfig) -> bool:
    """Whether another sweeper than that of grids is asked for."""
    return bool(master.hydra.sweeper._target_ != GRID)


def search(
    context: HydraContext,
    task: TaskFunction,
    master: DictConfig,
    arguments: list[str],
    run_cells: RunCells,
) -> None:
    """Let the sweeper that the configuration names choose the runs."""
    config = copy.deepcopy(master)
    with open_dict(config):
        # A sweeper makes its own launcher, of Hydra's plugins; it gets another below.
        config.hydra.launcher = {
            "_target_": "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
        }
    sweeper = Plugins.instance().instantiate_sweeper(
        hydra_context=context, task_function=task, config=config
    )
    # The plugins keep what they do in an object of its own, so as to be found faster.
    inner: Any = getattr(sweeper, "sweeper", sweeper)
    inner.launcher = LauncherOfSearch(run_cells)
    sweeper.sweep(arguments)


def _loss(record: Record | None) -> float:
    if record is None or record.status != COMPLETED or record.validation is None:
        return math.inf
    return record.validation["loss"]
