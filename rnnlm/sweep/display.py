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
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from rnnlm.files.run_files import PROGRESS, RECORD
from rnnlm.messages.legible import escaped
from rnnlm.results.record import FAILED, Record, RecordError
from rnnlm.training.progress import Progress

SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_BETWEEN_LINES = 10.0


@dataclass
class _Run:
    """A run of the sweep, and what its folder has shown so far."""

    title: str
    folder: Path
    # When earlier attempts wrote these files: they are no news of this sweep.
    old_progress: float | None
    old_record: float | None
    progress: Progress | None = None
    first_seen: float | None = None

    @property
    def seconds_left(self) -> float | None:
        return self.progress.seconds_left if self.progress else None


class _Renderer(Protocol):
    """Shows the progress of a sweep."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def update(self, running: Collection[_Run], ended: int, summary: str) -> None:
        """Show the runs at work, how many have ended, and a summary of the sweep."""

    def remove(self, run: _Run) -> None:
        """Show a run no longer, since it has ended."""


class _Bars:
    """A bar for each run at work, and one for the sweep."""

    def __init__(self, console: Console, num_runs: int) -> None:
        self._num_runs = num_runs
        self._tasks: dict[Path, TaskID] = {}
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[note]}"),
            console=console,
        )

    def start(self) -> None:
        self._bars.start()
        if self._num_runs > 1:
            self._sweep = self._bars.add_task("sweep", total=self._num_runs, note="")

    def stop(self) -> None:
        self._bars.stop()

    def update(self, running: Collection[_Run], ended: int, summary: str) -> None:
        done = float(ended)
        for run in running:
            if run.folder not in self._tasks:
                self._tasks[run.folder] = self._bars.add_task(run.title, total=1.0, note="")
            if run.progress:
                done += run.progress.fraction
                note = run.progress.figures + _left(run.seconds_left)
                task = self._tasks[run.folder]
                self._bars.update(task, completed=run.progress.fraction, note=note)
        if self._num_runs > 1:
            self._bars.update(self._sweep, completed=done, note=summary)

    def remove(self, run: _Run) -> None:
        if (task := self._tasks.pop(run.folder, None)) is not None:
            self._bars.remove_task(task)


class _Lines:
    """A line for each run at work from time to time, and one for the sweep when a run ends."""

    def __init__(self, num_runs: int) -> None:
        self._num_runs = num_runs
        self._num_ended = 0
        self._shown_at: dict[Path, float] = {}

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def update(self, running: Collection[_Run], ended: int, summary: str) -> None:
        now = time.monotonic()
        for run in running:
            if run.progress and now - self._shown_at.setdefault(run.folder, now) > (
                SECONDS_BETWEEN_LINES
            ):
                self._shown_at[run.folder] = now
                print(f"{run.title}  {run.progress.figures}{_left(run.seconds_left)}", flush=True)
        if self._num_ended < ended < self._num_runs:
            print(f"sweep: {summary}", flush=True)
        self._num_ended = ended

    def remove(self, run: _Run) -> None:
        pass


class SweepProgress:
    """Shows each run at work, and how many runs are done, at work, failed and waiting.

    Args:
        runs: the title and the folder of each run that is to be carried out.
        shown: if False, only failures are shown.
    """

    def __init__(self, runs: Sequence[tuple[str, Path]], shown: bool) -> None:
        self._waiting = {
            folder: _Run(
                title, folder, _written_at(folder / PROGRESS), _written_at(folder / RECORD)
            )
            for title, folder in runs
        }
        self._running: dict[Path, _Run] = {}
        self._done = self._failed = 0
        self._durations: list[float] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._renderer: _Renderer | None = None
        if shown:
            console = Console(file=sys.stdout)
            is_terminal = console.is_terminal
            self._renderer = _Bars(console, len(runs)) if is_terminal else _Lines(len(runs))

    def __enter__(self) -> SweepProgress:
        if self._renderer:
            self._renderer.start()
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._renderer:
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
        """Show a run as waiting, since another sweep is at work on it."""
        with self._lock:
            if run := self._running.pop(folder, None):
                self._waiting[folder] = run

    def _end(self, run: _Run, error: str | None) -> None:
        self._running.pop(run.folder, None)
        self._waiting.pop(run.folder, None)
        self._failed += error is not None
        self._done += error is None
        if error is not None:
            print(f"{run.title} failed: {escaped(error)}", file=sys.stderr, flush=True)
        elif self._renderer:
            seconds = time.monotonic() - run.first_seen if run.first_seen else 0.0
            self._durations.append(seconds)
            metrics = [run.progress.figures] if run.progress and run.progress.figures else []
            print(*[run.title, *metrics, f"completed in {_clock(seconds)}"], sep="  ", flush=True)
        if self._renderer:
            self._renderer.remove(run)
            self._render()
        (run.folder / PROGRESS).unlink(missing_ok=True)

    def _watch(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_LOOKS):
            with self._lock:
                self._look()
                self._render()

    def _render(self) -> None:
        if self._renderer:
            ended = self._done + self._failed
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
        counts = f"{self._done} done, {len(self._running)} running, {self._failed} failed"
        return f"{counts}, {len(self._waiting)} waiting{_left(self._seconds_left())}"

    def _seconds_left(self) -> float | None:
        """Estimate the rest of the sweep; None before any run has shown how long it takes.

        The estimate assumes that as many runs stay at work at once as now, and that each takes as
        long as the mean of the others.
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
