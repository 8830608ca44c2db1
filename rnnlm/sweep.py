"""A sweep: from a command line to its runs, their records and their table.

Hydra composes the configurations and its launchers run them; what lies between is done here. A
sweep of which any cell is misconfigured is refused before the first starts, each run gets a folder
that follows from its configuration and text, runs that are completed are left out, and it all ends
in one table. A single run is a sweep of one.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra._internal.callbacks import Callbacks
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.types import HydraContext, RunMode, TaskFunction
from omegaconf import DictConfig, open_dict

from rnnlm.config import Config, checked, fingerprint
from rnnlm.options import OptionError
from rnnlm.results.record import COMPLETED, Record, RecordError
from rnnlm.results.table import CSV_NAME, MARKDOWN_NAME, Table
from rnnlm.terminal import table_console
from rnnlm.train import load_corpus, train

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """A cell of the grid with its seed, before it is launched."""

    overrides: list[str]
    config: Config
    folder: Path
    name: str

    def record(self) -> Record | None:
        """What the run has left so far; a broken record counts as none."""
        try:
            return Record.read(self.folder)
        except (FileNotFoundError, RecordError):
            return None

    def is_done(self) -> bool:
        """Whether there is nothing left to do for it."""
        record = self.record()
        return record is not None and record.status == COMPLETED and not self.config.force


def sweep(
    loader: ConfigLoader, config_name: str, arguments: list[str], task: TaskFunction
) -> list[Run]:
    """Run every cell of the grid that the arguments span and print the table of all of them.

    Args:
        loader: Hydra's, with the search path set up.
        task: what a launcher calls with each composed configuration.

    Raises:
        OptionError, HydraException, OmegaConfBaseException: a cell cannot run as asked; nothing has
            been started.
    """
    master = loader.load_configuration(config_name, arguments, run_mode=RunMode.MULTIRUN)
    runs = plan(loader, master, arguments)
    to_do = []
    for run in runs:
        if run.is_done():
            print(f"{run.name} is completed: {run.folder}")
        else:
            to_do.append(run)
    if to_do:
        launcher = Plugins.instance().instantiate_launcher(
            HydraContext(config_loader=loader, callbacks=Callbacks(master)), task, master
        )
        launcher.launch([launch_overrides(run, i, len(to_do)) for i, run in enumerate(to_do, 1)], 0)
    tabulate(runs)
    return runs


def plan(loader: ConfigLoader, master: DictConfig, arguments: list[str]) -> list[Run]:
    """The runs of the grid, every one of them composed and checked.

    Raises:
        OptionError, HydraException, OmegaConfBaseException: a cell is misconfigured.
    """
    overrides = OverridesParser.create(config_loader=loader).parse_overrides(arguments)
    identities: dict[str, str] = {}
    runs = []
    for cell in BasicSweeper.split_arguments(overrides, None)[0]:
        composed = loader.load_sweep_config(master, cell)
        with open_dict(composed):
            del composed["hydra"]
        config = checked(composed)
        # The cells of a grid share their corpora: each is read once.
        if str(config.data) not in identities:
            identities[str(config.data)] = load_corpus(config).identity
        _refuse_unwritable(Path(config.output_dir))
        runs.append(plan_run(cell, config, identities[str(config.data)]))
    # The same cell given twice is one run.
    return list({run.folder: run for run in runs}.values())


def _refuse_unwritable(folder: Path) -> None:
    """A sweep that could not keep its results is not worth starting."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(
            "output_dir", f"{folder} cannot be made ({error.strerror}), a folder is needed"
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OptionError("output_dir", f"{folder} cannot be written to")


def plan_run(overrides: Sequence[str], config: Config, corpus: str) -> Run:
    """The run of a configuration on a corpus of that identity; its folder follows from both."""
    cell = f"{config.model.cell}-{config.features.name}"
    identity = fingerprint(config, corpus)
    folder = Path(config.output_dir, config.data.name, cell, f"seed{config.seed}-{identity[:8]}")
    return Run(list(overrides), config, folder, f"{config.data.name} {cell} seed {config.seed}")


def launch_overrides(run: Run, number: int, total: int) -> list[str]:
    """What Hydra is given to compose the run again where it is launched, in its own folder."""
    return [
        *run.overrides,
        f"hydra.sweep.subdir='{run.folder.relative_to(run.config.output_dir)}'",
        f"hydra.job.name='{number}/{total} {run.name}'",
    ]


def tabulate(runs: Sequence[Run]) -> None:
    """Print the table of the runs' records and write it beside them."""
    table = Table([record for run in runs if (record := run.record())])
    table.print(table_console())
    folder = Path(runs[0].config.output_dir)
    table.write(folder)
    print(f"written to {folder / CSV_NAME} and {MARKDOWN_NAME}; tensorboard --logdir {folder}")


def all_completed(runs: Sequence[Run]) -> bool:
    """Whether every run has left the record of a completed one."""
    return all((record := run.record()) and record.status == COMPLETED for run in runs)


def run_cell(composed: DictConfig) -> str:
    """What a launcher runs for each cell: one run, in the folder that Hydra made for it.

    Returns:
        The status of the run's record.
    """
    silence_libraries()
    hydra = HydraConfig.get()
    overrides = list(hydra.overrides.task)
    folder = Path(hydra.runtime.output_dir)
    return train(checked(composed), folder, overrides, title=hydra.job.name).status


def silence_libraries() -> None:
    """Warnings go to the run's log; Lightning's remarks on hardware and products go nowhere."""
    logging.captureWarnings(True)
    warnings.simplefilter("default")
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
