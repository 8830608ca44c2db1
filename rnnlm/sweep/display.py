"""The progress of a sweep as a person sees it: bars on a terminal, and lines elsewhere.

Everything is read from the runs' folders, so that a run may be in any process or on any machine.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from rnnlm.files.run_files import PROGRESS, RECORD
from rnnlm.messages.legible import escaped
from rnnlm.results.record import FAILED, Record, RecordError
from rnnlm.training.progress import Progress

SECONDS_BETWEEN_UPDATES = 0.5
SECONDS_BETWEEN_LINES = 10.0


@dataclass
class _Run:
    """A run of the sweep, and what its folder has shown so far."""

    title: str
    folder: Path
    # Modification times of files from earlier attempts, which say nothing about this sweep.
    old_progress: float | None
    old_record: float | None
    progress: Progress | None = None
    first_seen: float | None = None

    @classmethod
    def new(cls, title: str, folder: Path) -> _Run:
        return cls(title, folder, _written_at(folder / PROGRESS), _written_at(folder / RECORD))

    @property
    def fraction(self) -> float:
        return self.progress.fraction if self.progress else 0.0

    @property
    def note(self) -> str:
        progress = self.progress
        return progress.text + _left(progress.seconds_left) if progress else ""


class _Lines:
    """Prints a line for each run in progress from time to time, and one when a run has ended."""

    def __init__(self, num_runs: int) -> None:
        self._num_runs = num_runs
        self._num_ended = 0
        self._shown_at: dict[Path, float] = {}

    def update(self, running: Collection[_Run], ended: int, summary: str) -> None:
        """Show the runs in progress, how many have ended, and a summary of the sweep."""
        now = time.monotonic()
        for run in running:
            shown_at = self._shown_at.setdefault(run.folder, now)
            if run.progress and now - shown_at > SECONDS_BETWEEN_LINES:
                self._shown_at[run.folder] = now
                print(f"{run.title}  {run.note}", flush=True)
        if self._num_ended < ended < self._num_runs:
            print(f"sweep: {summary}", flush=True)
        self._num_ended = ended

    def stop(self) -> None:
        """Do nothing: every line is printed already."""


class _Bars:
    """Shows a bar for each run in progress, and one for the sweep."""

    def __init__(self, console: Console, num_runs: int) -> None:
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[note]}"),
            console=console,
        )
        self._bars.start()
        self._sweep = self._bars.add_task("sweep", total=num_runs, note="", visible=num_runs > 1)
        self._tasks: dict[Path, TaskID] = {}

    def update(self, running: Collection[_Run], ended: int, summary: str) -> None:
        """Show the runs in progress, how many have ended, and a summary of the sweep."""
        for folder in self._tasks.keys() - {run.folder for run in running}:
            self._bars.remove_task(self._tasks.pop(folder))
        for run in running:
            if run.folder not in self._tasks:
                self._tasks[run.folder] = self._bars.add_task(run.title, total=1.0, note="")
            self._bars.update(self._tasks[run.folder], completed=run.fraction, note=run.note)
        done = ended + sum(run.fraction for run in running)
        self._bars.update(self._sweep, completed=done, note=summary)

    def stop(self) -> None:
        """Leave the last state of the bars on the screen."""
        self._bars.stop()


class SweepProgress:
    """Shows each run in progress, and how many runs are completed, running, failed and waiting.

    Args:
        runs: the title and the folder of each run that is to be carried out.
        shown: if False, only failures are shown.
    """

    def __init__(self, runs: Sequence[tuple[str, Path]], shown: bool) -> None:
        self._waiting = {folder: _Run.new(title, folder) for title, folder in runs}
        self._running: dict[Path, _Run] = {}
        self._completed = self._failed = 0
        self._durations: list[float] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._shown = shown

    def __enter__(self) -> SweepProgress:
        console, count = Console(file=sys.stdout), len(self._waiting)
        is_terminal = self._shown and console.is_terminal
        self._renderer = _Bars(console, count) if is_terminal else _Lines(count)
        if self._shown:
            self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        if self._shown:
            self._thread.join()
        self._renderer.stop()

    def ended(self, folder: Path, error: str | None) -> None:
        """Show that a run has ended, unless its record has shown that already.

        Args:
            error: why the run has failed; None if it has completed.
        """
        with self._lock:
            self._look()
            if run := self._running.get(folder) or self._waiting.get(folder):
                self._end(run, error)

    def held_elsewhere(self, folder: Path) -> None:
        """Show a run as waiting, since another sweep is carrying it out."""
        with self._lock:
            if run := self._running.pop(folder, None):
                self._waiting[folder] = run

    def _end(self, run: _Run, error: str | None) -> None:
        self._running.pop(run.folder, None)
        self._waiting.pop(run.folder, None)
        self._failed += error is not None
        self._completed += error is None
        if error is not None:
            print(f"{run.title} failed: {escaped(error)}", file=sys.stderr, flush=True)
        elif self._shown:
            seconds = time.monotonic() - run.first_seen if run.first_seen else 0.0
            self._durations.append(seconds)
            metrics = [run.progress.text] if run.progress and run.progress.text else []
            print(*[run.title, *metrics, f"completed in {_clock(seconds)}"], sep="  ", flush=True)
        self._render()
        (run.folder / PROGRESS).unlink(missing_ok=True)

    def _watch(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_UPDATES):
            with self._lock:
                self._look()
                self._render()

    def _render(self) -> None:
        if self._shown:
            ended = self._completed + self._failed
            self._renderer.update(self._running.values(), ended, self._summary())

    def _look(self) -> None:
        """Read the progress of the runs, and which of them have ended."""
        for folder, run in [*self._running.items(), *self._waiting.items()]:
            if _written_at(folder / PROGRESS) != run.old_progress:
                run.progress = Progress.read(folder) or run.progress
            if run.progress and folder not in self._running:
                run.first_seen = time.monotonic()
                self._running[folder] = self._waiting.pop(folder)
            if _written_at(folder / RECORD) not in (run.old_record, None):
                with contextlib.suppress(FileNotFoundError, RecordError):
                    record = Record.read(folder)
                    self._end(run, record.error if record.status == FAILED else None)

    def _summary(self) -> str:
        counts = f"{self._completed} completed, {len(self._running)} running, {self._failed} failed"
        return f"{counts}, {len(self._waiting)} waiting{_left(self._seconds_left())}"

    def _seconds_left(self) -> float | None:
        """Estimate the rest of the sweep; None before any run has shown how long it takes.

        The estimate assumes that the number of runs in progress stays the same, and that each takes
        as long as the mean of the others.
        """
        started = [run.progress for run in self._running.values() if run.progress]
        left = [p.seconds_left for p in started if p.seconds_left is not None]
        durations = self._durations + [
            progress.seconds_left / (1 - progress.fraction)
            for progress in started
            if progress.seconds_left and progress.fraction < 1
        ]
        if not durations:
            return None
        unknown = len(self._waiting) + len(self._running) - len(left)
        rest = sum(left) + sum(durations) / len(durations) * unknown
        return rest / max(len(self._running), 1)


def _written_at(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None


def _left(seconds: float | None) -> str:
    return "" if seconds is None else f"  {_clock(seconds)} left"


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=int(seconds)))
