"""Runs on this machine, each in a process of its own, one after the other or several at once.

What happens to one run happens to it alone: when its process is killed, runs out of memory or
crashes, the others go on, and nothing of it stays in memory for the next.
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
from types import FrameType

import torch
from hydra import version
from hydra.core.utils import JobReturn, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

from rnnlm.files.lock import remove_unless_file
from rnnlm.files.run_files import LOG
from rnnlm.hardware import uses_gpu, visible_cores
from rnnlm.runs.failure import reason
from rnnlm.signals.stop_signals import StopSignals, Urgency
from rnnlm.sweep.launchers import process_server
from rnnlm.sweep.launchers.launcher import DiedError, ReportingLauncher, failed, to_be_sent
from rnnlm.sweep.launchers.lease import lease_folder, leased_cores
from rnnlm.sweep.launchers.options import ProcessOptions

SECONDS_BETWEEN_LOOKS = 0.1
# What a run that SIGTERM has asked to stop gets to save, before it is killed.
SECONDS_TO_SAVE = 4.0

# Within so long a signal to a group of processes has reached them all.
SECONDS_OF_A_SIGNAL = 0.3

# Ctrl-C as a run hears it: unlike at SIGTERM, an epoch that is being validated is finished first.
STOP_AFTER_SAVING = signal.SIGTERM if sys.platform == "win32" else signal.SIGUSR1


@dataclass
class _Job:
    """A run at work."""

    index: int
    process: BaseProcess
    receiver: Connection


class ProcessLauncher(ReportingLauncher):
    """Starts a process for each run, and keeps as many at work as it is told to.

    The cores of the machine are divided among them.
    """

    def __init__(self, options: ProcessOptions) -> None:
        self._options = options

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """As Hydra sets up its launchers."""
        self.hydra_context = hydra_context
        self.task_function = task_function
        self.config = config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run every job; a signal that asks the sweep to stop lets those at work save first."""
        process_server.start()
        at_once = min(self._options.runs_at_once or self._places(), len(job_overrides))
        num_threads = max(1, torch.get_num_threads() // at_once)
        waiting = deque(enumerate(job_overrides))
        at_work: list[_Job] = []
        returns: dict[int, JobReturn] = {}

        def ended(index: int, returned: JobReturn) -> None:
            returns[index] = returned
            self.on_end(index, returned)

        with StopSignals() as signals:
            try:
                while (waiting or at_work) and not signals.urgency:
                    if waiting and len(at_work) < at_once:
                        index, overrides = waiting.popleft()
                        try:
                            number = initial_job_idx + index
                            job = self._start(index, list(overrides), number, num_threads)
                        except (OSError, EOFError) as error:
                            # There is no memory for another process, or too many are open.
                            ended(index, failed(DiedError(f"no process for it: {reason(error)}")))
                        else:
                            at_work.append(job)
                        continue
                    for job in _that_have_ended(at_work):
                        outcome = _outcome(job)
                        # A signal to all processes reaches some before this one: a run that it
                        # ended before it could save has not failed.
                        if job.process.exitcode and signals.heard_within(SECONDS_OF_A_SIGNAL):
                            break
                        at_work.remove(job)
                        ended(job.index, outcome)
            finally:
                _stop(at_work, signals)
        return [returns[index] for index in range(len(job_overrides))]

    def _places(self) -> int:
        if uses_gpu(self.config.trainer.accelerator):
            return torch.cuda.device_count() * int(self.config.runs_per_gpu)
        return len(visible_cores())

    def _start(self, index: int, overrides: list[str], number: int, num_threads: int) -> _Job:
        config = self.hydra_context.config_loader.load_sweep_config(self.config, overrides)
        with open_dict(config):
            config.hydra.job.id = config.hydra.job.num = number
        context = process_server.context()
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
    """What a run's process does."""
    # Ctrl-C reaches every process of a terminal; the main one passes it on.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if STOP_AFTER_SAVING != signal.SIGTERM:
        signal.signal(STOP_AFTER_SAVING, _leave)
    threading.Thread(target=_stop_without_parent, daemon=True).start()
    try:
        _speak_into_log(Path(config.hydra.sweep.dir, config.hydra.sweep.subdir))
    except OSError as error:
        sender.send(failed(DiedError(reason(error))))
        return
    version.setbase(version_base)
    setup_globals()
    with leased_cores(visible_cores(), num_threads, lease_folder()) as free:
        if "OMP_NUM_THREADS" not in os.environ:
            torch.set_num_threads(free)
        returned = run_job(
            hydra_context=context,
            task_function=task,
            config=config,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
        )
    with contextlib.suppress(BrokenPipeError):  # nobody waits for it any more
        sender.send(to_be_sent(returned))


def _leave(signal_number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signal.SIGTERM)


def _speak_into_log(folder: Path) -> None:
    """What is printed below Python, and a crash there, goes where the run's log is."""
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
    """A sweep that is killed takes its runs with it, once they have saved."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(SECONDS_TO_SAVE)
    os._exit(128 + signal.SIGTERM)


def _that_have_ended(jobs: Sequence[_Job]) -> list[_Job]:
    """The jobs that have said how they ended, or have died; waits a moment for one."""
    ready = wait([job.receiver for job in jobs], SECONDS_BETWEEN_LOOKS)
    return [job for job in jobs if job.receiver in ready]


def _outcome(job: _Job) -> JobReturn:
    """What a process that has ended has said, or else how it has ended."""
    try:
        returned: JobReturn = job.receiver.recv()
    except (EOFError, OSError):
        job.process.join()
        return failed(DiedError(_how_it_ended(job.process.exitcode)))
    finally:
        job.receiver.close()
    job.process.join()
    return returned


def _how_it_ended(exit_code: int | None) -> str:
    if exit_code == -signal.SIGKILL:
        return "killed by SIGKILL, as the system does where memory runs out"
    if exit_code is not None and exit_code < 0:
        with contextlib.suppress(ValueError):  # real-time signals have no names
            return f"killed by {signal.Signals(-exit_code).name}"
        return f"killed by signal {-exit_code}"
    if exit_code == 128 + signal.SIGTERM:
        return "stopped by SIGTERM"
    return f"its process ended with status {exit_code}, see {LOG} in its folder"


def _stop(jobs: Sequence[_Job], signals: StopSignals) -> None:
    """Ask the runs at work to stop, and kill those that have not in the time they get."""
    asked, deadline = Urgency.NONE, math.inf
    left = list(jobs)
    try:
        while left and time.monotonic() < deadline:
            # Without a signal, an error is what ends the sweep.
            if (urgency := signals.urgency or Urgency.SOON) > asked:
                if urgency is Urgency.NOW:
                    break
                asked = urgency
                for job in left:
                    _signal(job, STOP_AFTER_SAVING if asked is Urgency.SAVED else signal.SIGTERM)
                if asked is Urgency.SOON:
                    deadline = time.monotonic() + SECONDS_TO_SAVE
            wait([job.process.sentinel for job in left], SECONDS_BETWEEN_LOOKS)
            left = [job for job in left if job.process.is_alive()]
    finally:
        for job in left:
            job.process.kill()
            job.process.join()


def _signal(job: _Job, number: int) -> None:
    if job.process.pid is not None and job.process.is_alive():
        with contextlib.suppress(ProcessLookupError):
            os.kill(job.process.pid, number)
