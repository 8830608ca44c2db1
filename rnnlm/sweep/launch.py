"""Carry out planned runs by a launcher: skip those that have completed, and launch the others."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher

from rnnlm.files.lock import is_held, lock_run_folder
from rnnlm.messages.legible import escaped
from rnnlm.options import OptionError
from rnnlm.runs.failure import reason
from rnnlm.runs.outcome import Outcome, first_error
from rnnlm.runs.repair import remove_leftovers_of_run, repair
from rnnlm.runs.run import clear
from rnnlm.runs.spec import RunSpec
from rnnlm.sweep.display import SweepProgress
from rnnlm.sweep.hydra_internals import error_of
from rnnlm.sweep.hydra_quoting import quoted
from rnnlm.sweep.launchers.launcher import DiedError, ReportingLauncher, failed_job
from rnnlm.sweep.worker import HELD_ELSEWHERE

SECONDS_BETWEEN_LOCK_CHECKS = 1.0


def carry_out(outcomes: Sequence[Outcome], launcher: Launcher) -> None:
    """Carry out the runs that are not completed.

    Raises:
        OptionError: another process is carrying out a run that is to start again.
    """
    for outcome in outcomes:
        for problem in outcome.unreadable():
            print(
                f"{outcome.spec.name} counts as not completed: {escaped(problem)}",
                file=sys.stderr,
            )
    to_do = [outcome for outcome in outcomes if not _is_done(outcome)]
    for outcome in outcomes:
        remove_leftovers_of_run(outcome.spec.folder)
    for outcome in to_do:
        for removed in repair(outcome.spec.folder):
            print(removed)
        if outcome.spec.config.force:
            _clear_for_force(outcome.spec)
    if to_do:
        launch(to_do, launcher)


def _is_done(outcome: Outcome) -> bool:
    """Print why nothing is left to do for a run, and return True; return False if it is to run."""
    spec = outcome.spec
    if outcome.record() is None or spec.config.force:
        return False
    if outcome.has_completed():
        print(f"{spec.name} is completed: {spec.folder}")
        return True
    error = first_error(outcome.records())
    if error is not None and not spec.config.retry_failed:
        print(f"{spec.name} has failed and is not tried again: {escaped(error)}")
        return True
    return False


def _clear_for_force(spec: RunSpec) -> None:
    """Remove everything that earlier attempts at the run have left."""
    if not spec.folder.is_dir():
        return
    with lock_run_folder(spec.folder) as is_ours:
        if not is_ours:
            raise OptionError("force", f"{spec.name} is being trained, in {spec.folder}")
        clear(spec.folder)


def launch(outcomes: Sequence[Outcome], launcher: Launcher) -> None:
    """Launch the runs until each has ended, here or in another sweep."""
    count = len(outcomes)
    titled_outcomes = [
        (f"{number}/{count} {o.spec.name}", o) for number, o in enumerate(outcomes, 1)
    ]
    shown = outcomes[0].spec.config.trainer.enable_progress_bar
    with SweepProgress([(title, o.spec.folder) for title, o in titled_outcomes], shown) as progress:
        while titled_outcomes:
            titled_outcomes = _launch_once(titled_outcomes, launcher, progress)
            while titled_outcomes and all(
                is_held(outcome.spec.folder) for _, outcome in titled_outcomes
            ):
                time.sleep(SECONDS_BETWEEN_LOCK_CHECKS)


def _launch_once(
    titled_outcomes: Sequence[tuple[str, Outcome]], launcher: Launcher, progress: SweepProgress
) -> list[tuple[str, Outcome]]:
    """Launch the runs once; return those that another process was carrying out."""
    held = []

    def on_end(index: int, returned: JobReturn) -> None:
        _, outcome = titled_outcomes[index]
        folder, error = outcome.spec.folder, error_of(returned)
        if error is not None:
            outcome.fail(str(error))
        elif returned.return_value == HELD_ELSEWHERE:
            held.append(titled_outcomes[index])
            progress.held_elsewhere(folder)
            return
        records = outcome.records()
        progress.ended(folder, first_error(records) if records else "it has left no record")

    overrides = [launch_overrides(outcome.spec, title) for title, outcome in titled_outcomes]
    if isinstance(launcher, ReportingLauncher):
        launcher.on_end = on_end
        launcher.launch(overrides, 0)
        return held
    try:
        returns = launcher.launch(overrides, 0)
    except Exception as error:
        # Some of Hydra's launchers give up all runs when the process of one dies.
        gave_up = failed_job(DiedError(f"its launcher gave up: {reason(error)}"))
        returns = [gave_up] * len(titled_outcomes)
    for index, returned in enumerate(returns):
        on_end(index, returned)
    return held


def launch_overrides(spec: RunSpec, title: str) -> list[str]:
    """The overrides from which Hydra composes the run again in its own process and folder."""
    return [
        *spec.overrides,
        f"hydra.sweep.subdir={quoted(str(spec.folder.relative_to(spec.config.output_dir)))}",
        f"hydra.job.name={quoted(title)}",
    ]
