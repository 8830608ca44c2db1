"""A sweep: every run that a command line asks for, and the table of their records.

Hydra composes the configurations, and a launcher carries out the runs. All runs are planned before
the first one starts, so a wrong configuration stops the sweep before it starts. A single run is a
sweep of one.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from pathlib import Path

from hydra.core.config_loader import ConfigLoader
from hydra.types import RunMode, TaskFunction
from omegaconf import OmegaConf

from rnnlm.files.atomic_write import remove_leftovers, write_text
from rnnlm.results.grouping import comparisons
from rnnlm.results.record import FAILED
from rnnlm.results.tables.formats import as_csv, as_markdown
from rnnlm.results.tables.group_table import groups_table
from rnnlm.results.tables.run_table import runs_table
from rnnlm.results.tables.terminal import print_table, table_console
from rnnlm.runs.outcome import Outcome
from rnnlm.sweep.hydra_internals import Composer, call_callbacks, context_of
from rnnlm.sweep.launch import carry_out
from rnnlm.sweep.launchers.launcher import ReportingLauncher, build_launcher
from rnnlm.sweep.plan import grid, plan
from rnnlm.sweep.search import check_sweeper, is_search, search
from rnnlm.training.trainer import check_device

# The table of the sweep, in `output_dir`.
CSV_NAME, MARKDOWN_NAME = "results.csv", "results.md"


def sweep(
    loader: ConfigLoader,
    config_name: str,
    arguments: list[str],
    task: TaskFunction,
    multirun: bool,
) -> bool:
    """Carry out every run of a grid, or of a search, and print the table of their records.

    Args:
        loader: Hydra's loader, with its search path.
        task: what a launcher calls with each composed configuration.
        multirun: sweep over the values that a preset states in `hydra.sweeper.params`.

    Returns:
        True if every run and all adaptation variants have completed.

    Raises:
        OptionError, HydraException, OmegaConfBaseException: a run is misconfigured; no run of the
            grid has started.
        OSError: the table cannot be written; it has been printed.
    """
    master = loader.load_configuration(config_name, arguments, run_mode=RunMode.MULTIRUN)
    # Leave out overrides of Hydra's own options: the master configuration already has them.
    overrides = OmegaConf.to_container(master.hydra.overrides.task, resolve=False)
    assert isinstance(overrides, list)
    context = context_of(loader, master)
    check_sweeper(master)
    launcher = build_launcher(context, task, master)
    composer = Composer(loader, master)
    outcomes: dict[Path, Outcome] = {}

    def run_batch(batch: Sequence[Sequence[str]]) -> list[Outcome]:
        """Carry out the runs with these overrides; return the outcome of each."""
        specs = plan(composer, batch)
        if not (isinstance(launcher, ReportingLauncher) and launcher.is_elsewhere):
            for spec in specs:
                check_device(spec.config.trainer)
        # Runs with the same folder are one run.
        ended = {spec.folder: Outcome(spec) for spec in specs}
        carry_out(list(ended.values()), launcher)
        outcomes.update(ended)
        return [ended[spec.folder] for spec in specs]

    with call_callbacks(context, master, config_name, multirun):
        if is_search(master):
            search(context, task, master, overrides, run_batch)
        else:
            run_batch(grid(loader, master, overrides, multirun))
    tabulate(outcomes.values())
    return all(outcome.has_completed() for outcome in outcomes.values())


def tabulate(outcomes: Collection[Outcome]) -> None:
    """Print the table of the runs' records, and write it to `output_dir`."""
    records = [record for outcome in outcomes for record in outcome.records()]
    if not records:
        return
    table, console = runs_table(records), table_console()
    print_table(table, console)
    found = comparisons(records)
    if any(comparison.has_several_seeds for comparison in found):
        failed = [record for record in records if record.status == FAILED]
        print_table(groups_table(found, failed), console)
    folder = Path(next(iter(outcomes)).spec.config.output_dir)
    remove_leftovers(folder)
    write_text(folder / CSV_NAME, as_csv([table]))
    write_text(folder / MARKDOWN_NAME, as_markdown([table]))
    view = f"tensorboard --logdir {shlex.quote(str(folder))}"
    print(f"written to {folder / CSV_NAME} and {MARKDOWN_NAME}; {view}")
