"""Runs on this machine, each in a process of its own, one after the other or several at once.

If the process of a run crashes, is killed or runs out of memory, the other runs go on. Its memory
is free for the next run.
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
from rnnlm.hardware import num_gpus, uses_gpu, visible_cores
from rnnlm.runs.failure import reason
from rnnlm.signals.exit_status import TERMINATED_STATUS, ending_by_signal
from rnnlm.signals.stop_request import STOP_AFTER_SAVING, set_handlers_of_run
from rnnlm.signals.stop_signals import StopSignals, Urgency
from rnnlm.sweep.launchers import process_server
from rnnlm.sweep.launchers.launcher import (
    DiedError,
    ReportingLauncher,
    failed_job,
    run_hydra_job,
)
from rnnlm.sweep.launchers.lease import lease_folder, leased_cores
from rnnlm.sweep.launchers.options import ProcessOptions

SECONDS_OF_A_WAIT = 0.1
# After SIGTERM a run has this long to save before it is killed.
SECONDS_TO_SAVE = 4.0
# A signal to a group of processes reaches them all within this time.
SECONDS_UNTIL_ALL_HEAR_A_SIGNAL = 0.3


@dataclass
class _Job:
    """A run in progress."""

    index: int
    process: BaseProcess
    receiver: Connection


class ProcessLauncher(ReportingLauncher[ProcessOptions]):
    """Starts a process for each run, and divides the machine's cores among those in progress."""

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run every job; a signal that asks the sweep to stop lets running jobs save first."""
        process_server.start()
        at_once = min(self._options.runs_at_once or self._most_runs_at_once(), len(job_overrides))
        num_threads = max(1, torch.get_num_threads() // at_once)
        waiting = deque(enumerate(job_overrides))
        running: list[_Job] = []
        returns: dict[int, JobReturn] = {}

        def end(index: int, returned: JobReturn) -> None:
            returns[index] = returned
            self.on_end(index, returned)

        with StopSignals() as signals:
            try:
                while (waiting or running) and not signals.urgency:
                    if waiting and len(running) < at_once:
                        index, overrides = waiting.popleft()
                        try:
                            number = initial_job_idx + index
                            job = self._start(index, list(overrides), number, num_threads)
                        except (OSError, EOFError) as error:
                            # There is no memory for another process, or too many are open.
                            end(index, failed_job(DiedError(f"no process for it: {reason(error)}")))
                        else:
                            running.append(job)
                        continue
                    for job in _ended(running):
                        result = _job_result(job)
                        # A signal to a group of processes may end a run before it reaches this
                        # process. That run has not failed.
                        if job.process.exitcode and signals.heard_within(
                            SECONDS_UNTIL_ALL_HEAR_A_SIGNAL
                        ):
                            break
                        running.remove(job)
                        end(job.index, result)
            finally:
                _stop(running, signals)
        return [returns[index] for index in range(len(job_overrides))]

    def _most_runs_at_once(self) -> int:
        if uses_gpu(self.config.trainer.accelerator):
            return num_gpus() * int(self.config.runs_per_gpu)
        return len(visible_cores())

    def _start(self, index: int, overrides: list[str], number: int, num_threads: int) -> _Job:
        config = self.hydra_context.config_loader.load_sweep_config(self.config, overrides)
        with open_dict(config):
            config.hydra.job.id = config.hydra.job.num = number
        context = process_server.start_method_context()
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(  # type: ignore[attr-defined]
            target=_work,
            args=(
                self.hydra_context,
                self.task_function,
                config,
                str(version.getbase()),
                num_threads,
                sender,
            ),
            name=f"run {number}",
        )
        process.start()
        sender.close()
        return _Job(index, process, receiver)


def _work(
    context: HydraContext,
    task: TaskFunction,
    config: DictConfig,
    version_base: str,
    num_threads: int,
    sender: Connection,
) -> None:
    """Do a run in its own process, and send what came of it."""
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


def _ended(jobs: Sequence[_Job]) -> list[_Job]:
    """Wait a moment for jobs that have reported or died, and return them."""
    ready = wait([job.receiver for job in jobs], SECONDS_OF_A_WAIT)
    return [job for job in jobs if job.receiver in ready]


def _job_result(job: _Job) -> JobReturn:
    """Return what an ended process has reported, or how it died."""
    try:
        returned: JobReturn = job.receiver.recv()
    except (EOFError, OSError):
        job.process.join()
        code = job.process.exitcode
        by_itself = f"its process ended with status {code}, see {LOG} in its folder"
        return failed_job(DiedError(ending_by_signal(code) or by_itself))
    finally:
        job.receiver.close()
    job.process.join()
    return returned


def _stop(jobs: Sequence[_Job], signals: StopSignals) -> None:
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


def _signal(job: _Job, number: int) -> None:
    if job.process.pid is not None and job.process.is_alive():
        with contextlib.suppress(ProcessLookupError):
            os.kill(job.process.pid, number)
