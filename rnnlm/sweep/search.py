"""Search among runs instead of sweeping a grid, as with `hydra/sweeper=optuna`.

One of Hydra's sweepers asks for runs in batches, and gets the validation loss of each.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.errors import HydraException
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from rnnlm.messages.legible import first_line
from rnnlm.options import OptionError
from rnnlm.plugin_options import TARGET, check_plugin, plugin_class
from rnnlm.results.record import COMPLETED, Record
from rnnlm.runs.outcome import Outcome
from rnnlm.sweep.hydra_internals import GRID_SWEEPER, job_return, sweeper_with

# Options of Optuna's sweeper that it does not check, with their smallest and largest values.
_BOUNDS: dict[str, tuple[float, float]] = {
    "n_trials": (1, math.inf),
    "n_jobs": (1, math.inf),
    "max_failure_rate": (0, 1),
}
# Carries out the runs with these overrides and returns the outcome of each.
RunBatch = Callable[[Sequence[Sequence[str]]], Sequence[Outcome]]


class SearchLauncher(Launcher):
    """The launcher of a sweeper: it carries out a batch of runs and returns their losses."""

    def __init__(self, run_batch: RunBatch) -> None:
        self._run_batch = run_batch
        self.has_begun = False

    def setup(self, **_: Any) -> None:
        """Do nothing: the real launcher is set up elsewhere."""

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Carry out a batch and return the best validation loss of each run, in nats per token.

        The loss of a failed run is infinite, so that the search goes on elsewhere.
        """
        self.has_begun = True
        outcomes = self._run_batch(job_overrides)
        return [job_return(JobStatus.COMPLETED, _loss(outcome.record())) for outcome in outcomes]


def is_search(master: DictConfig) -> bool:
    """Return True if the configuration names another sweeper than that of grids."""
    return bool(master.hydra.sweeper._target_ != GRID_SWEEPER)


def check_sweeper(master: DictConfig) -> None:
    """Check that the sweeper accepts `hydra.sweeper.*`.

    Raises:
        OptionError: names the option that is wrong.
    """
    options = OmegaConf.to_container(master.hydra.sweeper, resolve=True)
    check_plugin(options, "hydra.sweeper", Sweeper, "sweeper")
    assert isinstance(options, dict)
    for name, (low, high) in _BOUNDS.items():
        value = options.get(name)
        if isinstance(value, int | float) and not low <= value <= high:
            takes = f"{low} to {high}" if high < math.inf else f"at least {low}"
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
    run_batch: RunBatch,
) -> None:
    """Let the sweeper that the configuration names choose the runs.

    Raises:
        OptionError: the sweeper does not accept its options or the arguments.
    """
    launcher = SearchLauncher(run_batch)
    try:
        sweeper_with(launcher, context, task, master).sweep(arguments)
    except (OptionError, HydraException, OmegaConfBaseException):
        raise
    except Exception as error:
        if launcher.has_begun:
            raise
        # Before its first run, a sweeper has looked at nothing but its options and arguments.
        problem = f"the sweeper does not accept these options or arguments: {first_line(error)}"
        raise OptionError("hydra/sweeper", problem) from error


def _loss(record: Record | None) -> float:
    if record is None or record.status != COMPLETED or record.validation is None:
        return math.inf
    return record.validation["loss"]
