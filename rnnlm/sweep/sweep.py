"""A sweep: from a command line to its runs, their records and their table.

Hydra composes the configurations and a launcher runs them; what lies between is done here. A sweep
of which any cell is misconfigured is refused before the first starts, each run gets a folder that
follows from its configuration and text, runs that are completed are left out, those that another
sweep is at work on are shared with it, and it all ends in one table. A single run is a sweep of
one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import shlex
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra._internal.callbacks import Callbacks
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, RunMode, TaskFunction
from omegaconf import DictConfig, OmegaConf

from rnnlm.config import Config, checked, fingerprint, is_baseline
from rnnlm.data.identity import CorpusIdentity
from rnnlm.evaluation.adaptation.options import AdaptationConfig, rows_of
from rnnlm.files.atomic_write import remove_leftovers, write_text
from rnnlm.files.lock import is_held, sole_writer
from rnnlm.hardware import uses_gpu
from rnnlm.messages.legible import escaped
from rnnlm.model.size import meet_budget
from rnnlm.options import OptionError
from rnnlm.results.grouping import comparisons
from rnnlm.results.record import COMPLETED, FAILED, Record, RecordError
from rnnlm.results.tables.formats import as_csv, as_markdown
from rnnlm.results.tables.group_table import groups_table
from rnnlm.results.tables.run_table import runs_table
from rnnlm.results.tables.terminal import print_table, table_console
from rnnlm.runs.adapted_run import measure_rows, new_row, row_folder, row_records
from rnnlm.runs.failure import reason
from rnnlm.runs.folder import run_folder
from rnnlm.runs.repair import remove_leftovers_of_run, repair
from rnnlm.runs.run import clear, load_corpus, new_record, now, train
from rnnlm.runtime import prepare_process
from rnnlm.sweep.display import SweepProgress
from rnnlm.sweep.hydra_internals import Composer
from rnnlm.sweep.launchers.launcher import DiedError, ReportingLauncher, build_launcher, failed
from rnnlm.sweep.launchers.lease import gpu_for_run
from rnnlm.sweep.overrides import check_grid
from rnnlm.sweep.search import check_sweeper, is_search, search
from rnnlm.sweep.typed_values import as_hydra_reads, quoted, with_plain_interpolations

# What `run_cell` says of a run that another process is at work on.
HELD_ELSEWHERE = "held elsewhere"
SECONDS_BETWEEN_LOOKS = 1.0
# How often planning says how far it is.
SECONDS_BETWEEN_LINES = 5.0
# The table of the sweep, in `output_dir`.
CSV_NAME, MARKDOWN_NAME = "results.csv", "results.md"

log = logging.getLogger(__name__)


@dataclass
class Run:
    """A cell of the grid with its seed, before it is launched."""

    overrides: list[str]
    config: Config
    corpus: CorpusIdentity
    folder: Path
    name: str
    # Of a failure that could not be written down.
    unwritten: Record | None = None

    def record(self) -> Record | None:
        """What the run has left so far; a broken record counts as none."""
        try:
            return self.unwritten or Record.read(self.folder)
        except (OSError, RecordError):
            return None

    def records(self) -> list[Record]:
        """What the run has left, and what each row that `adaptation` asks for besides has."""
        record = self.record()
        rows = [] if is_baseline(self.config) else self._rows().values()
        return [r for r in (record, *rows) if r is not None]

    def unreadable_records(self) -> list[str]:
        """The problems with what the run and its rows have left for records, a line each."""
        rows = [] if is_baseline(self.config) else rows_of(self.config.adaptation)
        places = [row_folder(self.folder, row, self.config.adaptation) for row in rows]
        problems = []
        for folder in (self.folder, *places):
            try:
                Record.read(folder)
            except FileNotFoundError:
                continue
            except RecordError as error:
                problems.append(str(error))
        return problems

    def has_completed(self) -> bool:
        """Whether the run has left the record of a completed one."""
        record = self.record()
        return record is not None and record.status == COMPLETED

    def has_completed_rows(self) -> bool:
        """Whether so has every row."""
        rows = {} if is_baseline(self.config) else self._rows()
        return all(r is not None and r.status == COMPLETED for r in rows.values())

    def _rows(self) -> dict[tuple[str, ...], Record | None]:
        return row_records(self.folder, self.config.adaptation)

    def start_over(self) -> None:
        """Remove what the run has left.

        Raises:
            OptionError: a process is at work on it.
        """
        if not self.folder.is_dir():
            return
        with sole_writer(self.folder) as free:
            if not free:
                raise OptionError("force", f"{self.name} is being trained, in {self.folder}")
            clear(self.folder)

    def fail(self, error: str) -> None:
        """Write down that the run has failed where it could not do so itself.

        Of a completed run it is the first row to come that has. Where another sweep is at work on
        it by now, or has been, that one's word stands.
        """
        record = new_record(self.config, self.corpus, self.overrides)
        record.error, record.finished_at = error, now()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with sole_writer(self.folder) as free:
                if free and not self.has_completed():
                    record.write(self.folder)
                elif free and not self.has_completed_rows():
                    self._fail_first_row(record)
        except (OSError, ValueError):
            # Also a name that is no Unicode and that a file in UTF-8 cannot hold.
            self.unwritten = record

    def _fail_first_row(self, failed: Record) -> None:
        row = next(row for row, r in self._rows().items() if r is None or r.status != COMPLETED)
        record = new_row(Record.read(self.folder), row, self.config.adaptation, self.overrides)
        record.error, record.finished_at = failed.error, failed.finished_at
        record.write(row_folder(self.folder, row, self.config.adaptation))


def sweep(
    loader: ConfigLoader,
    config_name: str,
    arguments: list[str],
    task: TaskFunction,
    multirun: bool,
) -> list[Run]:
    """Run every cell of the grid that the arguments span and print the table of all of them.

    Args:
        loader: Hydra's, with the search path set up.
        task: what a launcher calls with each composed configuration.
        multirun: whether `hydra.sweeper.params`, by which a preset says what is swept, is heeded.

    Raises:
        OptionError, HydraException, OmegaConfBaseException: a cell cannot run as asked; nothing has
            been started.
        OSError: the table cannot be written; it has been printed.
    """
    master = loader.load_configuration(config_name, arguments, run_mode=RunMode.MULTIRUN)
    # Not those of hydra itself, which the master configuration already follows.
    of_runs = OmegaConf.to_container(master.hydra.overrides.task, resolve=False)
    assert isinstance(of_runs, list)
    context = HydraContext(config_loader=loader, callbacks=Callbacks(master))
    check_sweeper(master)
    launcher = build_launcher(context, task, master)
    composer = Composer(loader, master)
    with _told_to_callbacks(context.callbacks, master, config_name, multirun):
        runs = _run_all(context, task, master, composer, launcher, of_runs, multirun)
    tabulate(runs)
    return runs


@contextlib.contextmanager
def _told_to_callbacks(
    callbacks: Callbacks, master: DictConfig, config_name: str, multirun: bool
) -> Iterator[None]:
    """Call the hooks of `hydra.callbacks` before the first run and after the last."""
    start, end = callbacks.on_run_start, callbacks.on_run_end
    if multirun:
        start, end = callbacks.on_multirun_start, callbacks.on_multirun_end
    start(config=master, config_name=config_name)
    try:
        yield
    finally:
        end(config=master, config_name=config_name)


def _run_all(
    context: HydraContext,
    task: TaskFunction,
    master: DictConfig,
    composer: Composer,
    launcher: Launcher,
    of_runs: list[str],
    multirun: bool,
) -> list[Run]:
    """Plan the runs of a grid, or of a search, and do what is left to do of them."""
    if is_search(master):
        found: list[Run] = []

        def run_cells(cells: Sequence[Sequence[str]]) -> list[Record | None]:
            runs = plan(composer, cells)
            carry_out(runs, launcher)
            found.extend(runs)
            return [run.record() for run in runs]

        search(context, task, master, of_runs, run_cells)
        return without_repetitions(found)
    parser = OverridesParser.create(config_loader=context.config_loader)
    given = parser.parse_overrides(of_runs)
    by_preset = [as_hydra_reads(text, parser) for text in swept_by_preset(master)]
    swept = parser.parse_overrides(by_preset) if multirun else []
    keys = {override.get_key_element() for override in given}
    swept = [override for override in swept if override.get_key_element() not in keys]
    check_grid(swept + given)
    cells = BasicSweeper.split_arguments(swept + given, None)[0]
    # Hydra writes an interpolation anew, and not always so that it can read it again.
    typed = {
        f"{override.get_key_element()}={override.get_value_element_as_str()}": text
        for override, text in zip(given, of_runs, strict=True)
        if "${" in text and not override.is_sweep_override()
    }
    cells = [[typed.get(override, override) for override in cell] for cell in cells]
    runs = without_repetitions(plan(composer, cells))
    carry_out(runs, launcher)
    return runs


def swept_by_preset(master: DictConfig) -> list[str]:
    """What the configuration itself says is swept, unless the command line says another thing."""
    return [f"{key}={values}" for key, values in (master.hydra.sweeper.params or {}).items()]


def carry_out(runs: Sequence[Run], launcher: Launcher) -> None:
    """Do what is left to do of the runs.

    Raises:
        OptionError: a run that is to start over is being trained by another process.
    """
    for run in without_repetitions(runs):
        for problem in run.unreadable_records():
            print(f"{run.name} counts as not done: {escaped(problem)}", file=sys.stderr)
    to_do = [run for run in without_repetitions(runs) if not _is_left_out(run)]
    for run in runs:
        remove_leftovers_of_run(run.folder)
    for run in to_do:
        for removed in repair(run.folder):
            print(removed)
        if run.config.force:
            run.start_over()
    if to_do:
        launch(to_do, launcher)


def without_repetitions(runs: Sequence[Run]) -> list[Run]:
    """The same cell given twice is one run."""
    return list({run.folder: run for run in runs}.values())


def _is_left_out(run: Run) -> bool:
    """Whether there is nothing to do for a run, which is then said."""
    record = run.record()
    if record is None or run.config.force:
        return False
    if run.has_completed() and run.has_completed_rows():
        print(f"{run.name} is completed: {run.folder}")
        return True
    error = next((record.error for record in run.records() if record.error), None)
    if error is not None and not run.config.retry_failed:
        print(f"{run.name} has failed and is not tried again: {escaped(error)}")
        return True
    return False


def launch(runs: Sequence[Run], launcher: Launcher) -> None:
    """Launch the runs until each has come to an end, here or in another sweep."""
    titles = {run.folder: f"{number}/{len(runs)} {run.name}" for number, run in enumerate(runs, 1)}
    shown = runs[0].config.trainer.enable_progress_bar
    with SweepProgress([(title, folder) for folder, title in titles.items()], shown) as progress:
        to_do = list(runs)
        while to_do:
            to_do = _launch_once(to_do, titles, launcher, progress)
            while to_do and all(is_held(run.folder) for run in to_do):
                time.sleep(SECONDS_BETWEEN_LOOKS)


def _launch_once(
    runs: Sequence[Run], titles: dict[Path, str], launcher: Launcher, progress: SweepProgress
) -> list[Run]:
    """Launch the runs once; returns those that were held elsewhere."""
    held = []

    def ended(index: int, returned: JobReturn) -> None:
        run = runs[index]
        if returned.status == JobStatus.FAILED:
            run.fail(str(returned._return_value))
        elif returned.return_value == HELD_ELSEWHERE:
            held.append(run)
            progress.held_elsewhere(run.folder)
            return
        records = run.records()
        error = next((record.error for record in records if record.error), None)
        progress.ended(run.folder, error if records else "it has left no record")

    overrides = [launch_overrides(run, titles[run.folder]) for run in runs]
    if isinstance(launcher, ReportingLauncher):
        launcher.on_end = ended
        launcher.launch(overrides, 0)
        return held
    try:
        returns = launcher.launch(overrides, 0)
    except Exception as error:
        # Some launchers of Hydra's give up on all runs when the process of one dies.
        gave_up = failed(DiedError(f"its launcher gave up: {reason(error)}"))
        returns = [gave_up] * len(runs)
    for index, returned in enumerate(returns):
        ended(index, returned)
    return held


def plan(composer: Composer, cells: Sequence[Sequence[str]]) -> list[Run]:
    """The run of each cell, every one of them composed and checked.

    Raises:
        OptionError, HydraException, OmegaConfBaseException: a cell is misconfigured.
    """
    identities: dict[str, CorpusIdentity] = {}
    runs: list[Run] = []
    said_at = time.monotonic()
    for typed in cells:
        if time.monotonic() - said_at > SECONDS_BETWEEN_LINES:
            said_at = time.monotonic()
            print(f"planned {len(runs):,} of {len(cells):,} runs", flush=True)
        cell = [with_plain_interpolations(override) for override in typed]
        config = checked(composer.compose(cell))
        # The cells of a grid share their corpora: each is read once.
        if str(config.data) not in identities:
            identities[str(config.data)] = CorpusIdentity.of(load_corpus(config))
        _refuse_unwritable(Path(config.output_dir))
        runs.append(plan_run(cell, config, identities[str(config.data)]))
    _refuse_several_adaptations(runs)
    return runs


def _refuse_several_adaptations(runs: Sequence[Run]) -> None:
    """What is measured besides a network sets no run apart: of several values one would be left."""
    firsts: dict[Path, AdaptationConfig] = {}
    for run in runs:
        adaptation = run.config.adaptation
        first = firsts.setdefault(run.folder, adaptation)
        for field in dataclasses.fields(AdaptationConfig):
            if getattr(first, field.name) != getattr(adaptation, field.name):
                raise OptionError(
                    f"adaptation.{field.name}",
                    "several values cannot be swept, the rows are of one run: give each in turn",
                )


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


def plan_run(overrides: Sequence[str], config: Config, corpus: CorpusIdentity) -> Run:
    """The run of a configuration on a corpus; its folder follows from both.

    Raises:
        OptionError: no network of its cell and features meets `model.num_parameters`.
    """
    if not is_baseline(config):
        model, features = meet_budget(corpus.vocab_size, config.model, config.features)
        config = dataclasses.replace(config, model=model, features=features)
    folder = run_folder(config, corpus.identity, fingerprint(config, corpus.identity))
    name = f"{config.data.name} {config.model.name}"
    if not is_baseline(config):
        name += f"-{config.features.name} seed {config.seed}"
    return Run(list(overrides), config, corpus, folder, name)


def launch_overrides(run: Run, title: str) -> list[str]:
    """What Hydra is given to compose the run again where it is launched, in its own folder."""
    return [
        *run.overrides,
        f"hydra.sweep.subdir={quoted(str(run.folder.relative_to(run.config.output_dir)))}",
        f"hydra.job.name={quoted(title)}",
    ]


def tabulate(runs: Sequence[Run]) -> None:
    """Print the table of the runs' records and write it beside them."""
    records = [record for run in runs for record in run.records()]
    if not records:
        return
    table, console = runs_table(records), table_console()
    print_table(table, console)
    found = comparisons(records)
    if any(comparison.has_several_seeds for comparison in found):
        failed = [record for record in records if record.status == FAILED]
        print_table(groups_table(found, failed), console)
    folder = Path(runs[0].config.output_dir)
    remove_leftovers(folder)
    write_text(folder / CSV_NAME, as_csv([table]))
    write_text(folder / MARKDOWN_NAME, as_markdown([table]))
    to_see = f"tensorboard --logdir {shlex.quote(str(folder))}"
    print(f"written to {folder / CSV_NAME} and {MARKDOWN_NAME}; {to_see}")


def all_completed(runs: Sequence[Run]) -> bool:
    """Whether every run has left the record of a completed one, and every row of it."""
    return all(run.has_completed() and run.has_completed_rows() for run in runs)


def run_cell(composed: DictConfig) -> str:
    """What a launcher runs for each cell: one run, in the folder that Hydra made for it.

    Returns:
        The status of the run's record, or that another process is at work on it.
    """
    prepare_process()
    silence_libraries()
    hydra = HydraConfig.get()
    config, folder = checked(composed), Path(hydra.runtime.output_dir)
    with sole_writer(folder) as free:
        if not free:
            return HELD_ELSEWHERE
        # As they were typed: what an interpolation stands for may be a secret.
        overrides = OmegaConf.to_container(hydra.overrides.task, resolve=False)
        assert isinstance(overrides, list)
        corpus = load_corpus(config)
        run = plan_run(overrides, config, CorpusIdentity.of(corpus))
        if run.folder.resolve() != folder.resolve():
            raise OptionError("data.source", "the text has changed since the sweep began")
        if run.has_completed() and run.has_completed_rows():
            return COMPLETED  # another sweep has been at it since this one began
        if is_baseline(config):
            return train(config, corpus, folder, overrides).status
        with gpu_for_run(config.trainer.accelerator, config.runs_per_gpu) as gpu:
            if not run.has_completed():
                status = train(run.config, corpus, folder, overrides, gpu).status
                if status != COMPLETED:
                    return status
            device = f"cuda:{gpu}" if uses_gpu(config.trainer.accelerator) else "cpu"
            measure_rows(folder, corpus, config.adaptation, overrides, device)
            return COMPLETED


def silence_libraries() -> None:
    """Warnings go to the run's log; Lightning's remarks on hardware and products go nowhere."""
    logging.captureWarnings(True)
    warnings.simplefilter("default")
    warnings.filterwarnings("ignore", "The `srun` command is available")
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
