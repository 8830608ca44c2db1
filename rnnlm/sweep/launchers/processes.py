"""Runs on this machine, each in a process of its own, one after the other or several at once.

If the process of a run crashes, is killed or runs out of memory, the other runs go on. Its memory
is free for the next run.

Runs that share a GPU are less apart: they share its memory, and under NVIDIA's MPS a fatal error of
one on the GPU ends all that are on it, and no new one gets there until all have ended. So a run
that fails there in a way that another may have caused is tried again by itself.
"""

from __future__ import annotations

import contextlib
import faulthandler
import math
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch
from hydra import version
from hydra.core.utils import JobReturn, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

from rnnlm.files.lock import remove_unless_file
from rnnlm.files.run_files import LOG
from rnnlm.hardware import visible_cores
from rnnlm.messages.legible import escaped
from rnnlm.runs.failure import reason
from rnnlm.signals.exit_status import TERMINATED_STATUS, ending_by_signal
from rnnlm.signals.stop_request import STOP_AFTER_SAVING, set_handlers_of_run
from rnnlm.signals.stop_signals import StopSignals, Urgency
from rnnlm.sweep.hydra_internals import error_of
from rnnlm.sweep.launchers import process_server
from rnnlm.sweep.launchers.gpus import why_unusable
from rnnlm.sweep.launchers.launcher import (
    DiedError,
    NeighbourError,
    OnEnd,
    ReportingLauncher,
    failed_job,
    run_hydra_job,
)
from rnnlm.sweep.launchers.lease import lease_folder, leased_cores
from rnnlm.sweep.launchers.options import ProcessOptions
from rnnlm.sweep.launchers.places import Places, places_for

SECONDS_OF_A_WAIT = 0.1
# After SIGTERM a run has this long to save before it is killed.
SECONDS_TO_SAVE = 4.0
# A signal to a group of processes reaches them all within this time.
SECONDS_UNTIL_ALL_HEAR_A_SIGNAL = 0.3


@dataclass
class _Job:
    """A run that has not ended: its place in the list, and what Hydra composes it from."""

    index: int
    overrides: list[str]


@dataclass
class _RunningJob:
    """A run in progress."""

    job: _Job
    title: str
    process: BaseProcess
    receiver: Connection


class ProcessLauncher(ReportingLauncher[ProcessOptions]):
    """Starts a process for each run, and divides the machine's cores among those in progress."""

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run every job; a signal that asks the sweep to stop lets running jobs save first."""
        process_server.start()
        self._first_number = initial_job_idx
        returns: dict[int, JobReturn] = {}

        def end(index: int, returned: JobReturn) -> None:
            returns[index] = returned
            self.on_end(index, returned)

        jobs = [_Job(index, list(overrides)) for index, overrides in enumerate(job_overrides)]
        with StopSignals() as signals:
            with places_for(len(jobs), self._options, self.config) as places:
                again = self._carry_out(jobs, places, signals, end)
            if again:
                self._carry_out(again, places.one_run_per_gpu(), signals, end)
        return [returns[index] for index in range(len(job_overrides))]

    def _carry_out(
        self, jobs: Sequence[_Job], places: Places, signals: StopSignals, end: OnEnd
    ) -> list[_Job]:
        """Run jobs until all have ended, or a signal comes.

        Returns:
            The jobs that have not ended, but failed in a way that a neighbour may have caused.
        """
        waiting = deque(jobs)
        running: list[_RunningJob] = []
        again: list[_Job] = []
        # A GPU after such a failure may be out of order, or full, until those on it have ended.
        starts_none = False
        try:
            while (waiting or running) and not signals.urgency:
                if waiting and len(running) < places.runs_at_once and not starts_none:
                    job = waiting.popleft()
                    try:
                        running.append(self._start(job, places))
                    except (OSError, EOFError) as error:
                        # There is no memory for another process, or too many are open.
                        no_process = DiedError(f"no process for it: {reason(error)}")
                        end(job.index, failed_job(no_process))
                    continue
                for ended in _ended(running):
                    result = _job_result(ended)
                    # A signal to a group of processes may end a run before it reaches this
                    # process. That run has not failed.
                    if ended.process.exitcode and signals.heard_within(
                        SECONDS_UNTIL_ALL_HEAR_A_SIGNAL
                    ):
                        break
                    running.remove(ended)
                    failure = error_of(result)
                    if places.has_neighbours and isinstance(failure, NeighbourError):
                        why = escaped(str(failure))
                        print(f"{ended.title} will be tried again by itself: {why}", flush=True)
                        again.append(ended.job)
                        starts_none = True
                    else:
                        end(ended.job.index, result)
                if starts_none and not running:
                    starts_none = False
                    if waiting:
                        why_unusable(places.environment)  # it waits for MPS to recover
        finally:
            _stop(running, signals)
        return again

    def _start(self, job: _Job, places: Places) -> _RunningJob:
        number = self._first_number + job.index
        config = self.hydra_context.config_loader.load_sweep_config(self.config, job.overrides)
        with open_dict(config):
            config.hydra.job.id = config.hydra.job.num = number
            if places.runs_per_gpu is not None:
                config.runs_per_gpu = places.runs_per_gpu
        context = process_server.start_method_context()
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(  # type: ignore[attr-defined]
            target=_work,
            args=(
                self.hydra_context,
                self.task_function,
                config,
                str(version.getbase()),
                max(1, torch.get_num_threads() // places.runs_at_once),
                dict(places.environment),
                sender,
            ),
            name=f"run {number}",
        )
        process.start()
        sender.close()
        return _RunningJob(job, config.hydra.job.name, process, receiver)


def _work(
    context: HydraContext,
    task: TaskFunction,
    config: DictConfig,
    version_base: str,
    num_threads: int,
    environment: dict[str, str],
    sender: Connection,
) -> None:
    """Do a run in its own process, and send what came of it."""
    os.environ.update(environment)
    set_handlers_of_run()
    threading.Thread(target=_stop_without_parent, daemon=True).start()
    try:
        _redirect_output_to_log(Path(config.hydra.sweep.dir, config.hydra.sweep.subdir))
    except OSError as error:
        sender.send(failed_job(DiedError(reason(error))))
        return
    version.setbase(version_base)
    setup_globals()
    with leased_cores(visible_cores(), num_threads, lease_folder()) as free:
        if "OMP_NUM_THREADS" not in os.environ:
            torch.set_num_threads(free)
        returned = run_hydra_job(context, task, config)
    with contextlib.suppress(BrokenPipeError):  # nobody waits for it any more
        sender.send(returned)


def _redirect_output_to_log(folder: Path) -> None:
    """Send to the run's log what libraries print below Python, and the traceback of a crash."""
    folder.mkdir(parents=True, exist_ok=True)
    remove_unless_file(folder / LOG)
    log = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    faulthandler.enable()


def _stop_without_parent() -> None:
    """Wait until the sweep is killed; then stop this run, once it has saved."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(SECONDS_TO_SAVE)
    os._exit(TERMINATED_STATUS)


def _ended(jobs: Sequence[_RunningJob]) -> list[_RunningJob]:
    """Wait a moment for jobs that have reported or died, and return them."""
    ready = wait([job.receiver for job in jobs], SECONDS_OF_A_WAIT)
    return [job for job in jobs if job.receiver in ready]


def _job_result(job: _RunningJob) -> JobReturn:
    """Return what an ended process has reported, or how it died."""
    try:
        returned: JobReturn = job.receiver.recv()
    except (EOFError, OSError):
        job.process.join()
        code = job.process.exitcode
        by_itself = f"its process ended with status {code}, see {LOG} in its folder"
        kind = NeighbourError if code is not None and code < 0 else DiedError
        return failed_job(kind(ending_by_signal(code) or by_itself))
    finally:
        job.receiver.close()
    job.process.join()
    return returned


def _stop(jobs: Sequence[_RunningJob], signals: StopSignals) -> None:
    """Ask running jobs to stop, and kill those that have not stopped in time."""
    asked_urgency, deadline = Urgency.NONE, math.inf
    remaining = list(jobs)
    try:
        while remaining and time.monotonic() < deadline:
            # If no signal has come, an exception ends the sweep.
            if (urgency := signals.urgency or Urgency.SOON) > asked_urgency:
                if urgency is Urgency.NOW:
                    break
                asked_urgency = urgency
                for job in remaining:
                    _signal(
                        job,
                        STOP_AFTER_SAVING
                        if asked_urgency is Urgency.AFTER_SAVING
                        else signal.SIGTERM,
                    )
                if asked_urgency is Urgency.SOON:
                    deadline = time.monotonic() + SECONDS_TO_SAVE
            wait([job.process.sentinel for job in remaining], SECONDS_OF_A_WAIT)
            remaining = [job for job in remaining if job.process.is_alive()]
    finally:
        for job in remaining:
            job.process.kill()
            job.process.join()


def _signal(job: _RunningJob, number: int) -> None:
    if job.process.pid is not None and job.process.is_alive():
        with contextlib.suppress(ProcessLookupError):
            os.kill(job.process.pid, number)
