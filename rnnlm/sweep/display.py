"""What a person sees while a sweep runs, whatever launches it: bars on a terminal, lines elsewhere.

All is read from the runs' folders, so it makes no difference which process or machine a run is on.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType

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
class _Watched:
    """A run of the sweep as far as it is known here."""

    title: str
    folder: Path
    # When what earlier attempts have left was written: what is of then is not news.
    old_progress: float | None
    old_record: float | None
    progress: Progress | None = None
    first_seen: float | None = None
    shown_at: float = 0.0
    bar: TaskID | None = None


class SweepProgress:
    """Shows each run at work, and of the sweep how many are done, at work, failed and waiting.

    Args:
        runs: the title and the folder of each that is to be done.
        shown: without it, only failures are told.
    """

    def __init__(self, runs: Sequence[tuple[str, Path]], shown: bool) -> None:
        self._waiting = {
            folder: _Watched(
                title,
                folder,
                _written_at(folder / PROGRESS),
                _written_at(folder / RECORD),
            )
            for title, folder in runs
        }
        self._running: dict[Path, _Watched] = {}
        self._total = len(runs)
        self._done = self._failed = 0
        self._durations: list[float] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._shown = shown
        console = Console(file=sys.stdout)
        self._bars: Bars | None = None
        if shown and console.is_terminal:
            self._bars = Bars(
                TextColumn("{task.description}"),
                BarColumn(bar_width=20),
                TextColumn("{task.fields[figures]}"),
                console=console,
            )

    def __enter__(self) -> SweepProgress:
        if self._bars:
            self._bars.start()
            if self._total > 1:
                self._sweep_bar = self._bars.add_task("sweep", total=self._total, figures="")
        if self._shown:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._shown:
            self._thread.join()
        if self._bars:
            self._bars.stop()

    def ended(self, folder: Path, error: str | None) -> None:
        """Tell how a run has ended, unless that has been seen; of a failed one, why."""
        with self._lock:
            self._look()
            if run := self._running.get(folder) or self._waiting.get(folder):
                self._end(run, error)

    def _end(self, run: _Watched, error: str | None) -> None:
        self._running.pop(run.folder, None)
        self._waiting.pop(run.folder, None)
        self._failed += error is not None
        self._done += error is None
        if error is not None:
            print(f"{run.title} failed: {escaped(error)}", file=sys.stderr, flush=True)
        elif self._shown:
            seconds = time.monotonic() - run.first_seen if run.first_seen else 0.0
            self._durations.append(seconds)
            figures = run.progress.figures if run.progress else ""
            taken = f"completed in {_clock(seconds)}"
            print("  ".join(part for part in (run.title, figures, taken) if part), flush=True)
        if self._bars and run.bar is not None:
            self._bars.remove_task(run.bar)
        if self._bars:
            self._show_bars()
        elif self._shown and (self._running or self._waiting):
            print(f"sweep: {self._summary()}", flush=True)
        (run.folder / PROGRESS).unlink(missing_ok=True)

    def held_elsewhere(self, folder: Path) -> None:
        """Another sweep is at work on the run, which therefore waits."""
        with self._lock:
            run = self._running.pop(folder, None)
            if run:
                self._waiting[folder] = run

    def _watch(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_LOOKS):
            with self._lock:
                self._look()
                if self._bars:
                    self._show_bars()
                else:
                    self._show_lines()

    def _look(self) -> None:
        """Read how far the runs are, and which have ended."""
        for folder, run in [*self._running.items(), *self._waiting.items()]:
            if _written_at(folder / PROGRESS) != run.old_progress:
                run.progress = Progress.read(folder) or run.progress
            if run.progress and folder not in self._running:
                run.first_seen = run.shown_at = time.monotonic()
                self._running[folder] = self._waiting.pop(folder)
            if _written_at(folder / RECORD) not in (run.old_record, None):
                with contextlib.suppress(FileNotFoundError, RecordError):
                    record = Record.read(folder)
                    self._end(run, record.error if record.status == FAILED else None)

    def _show_bars(self) -> None:
        assert self._bars is not None
        for run in self._running.values():
            if run.bar is None:
                run.bar = self._bars.add_task(run.title, total=1.0, figures="")
            if run.progress:
                figures = run.progress.figures + _left(run.progress.seconds_left)
                self._bars.update(run.bar, completed=run.progress.fraction, figures=figures)
        if self._total > 1:
            begun = sum(run.progress.fraction for run in self._running.values() if run.progress)
            self._bars.update(
                self._sweep_bar,
                completed=self._done + self._failed + begun,
                figures=self._summary(),
            )

    def _show_lines(self) -> None:
        for run in self._running.values():
            if run.progress and time.monotonic() - run.shown_at > SECONDS_BETWEEN_LINES:
                run.shown_at = time.monotonic()
                left = _left(run.progress.seconds_left)
                print(f"{run.title}  {run.progress.figures}{left}", flush=True)

    def _summary(self) -> str:
        counts = f"{self._done} done, {len(self._running)} running, {self._failed} failed"
        return f"{counts}, {len(self._waiting)} waiting{_left(self._seconds_left())}"

    def _seconds_left(self) -> float | None:
        """As if as many runs stay at work at once as now, each as long as those before it took."""
        known = [
            run.progress.seconds_left
            for run in self._running.values()
            if run.progress and run.progress.seconds_left is not None
        ]
        lengths = self._durations + [
            run.progress.seconds_left / (1 - run.progress.fraction)
            for run in self._running.values()
            if run.progress and run.progress.seconds_left and run.progress.fraction < 1
        ]
        if not lengths:
            return None
        usual = sum(lengths) / len(lengths)
        unknown = len(self._waiting) + len(self._running) - len(known)
        return (sum(known) + usual * unknown) / max(len(self._running), 1)


def _written_at(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None


def _left(seconds: float | None) -> str:
    return "" if seconds is None else f"  {_clock(seconds)} left"


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=int(seconds)))
