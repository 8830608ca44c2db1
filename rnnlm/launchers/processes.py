"""Runs on this machine, each in a process of its own, one after the other or several at once.

What happens to one run happens to it alone: when its process is killed, runs out of memory or
crashes, the others go on, and nothing of it stays in memory for the next.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
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

from rnnlm import process_server
from rnnlm.launchers.launcher import DiedError, ReportingLauncher, failed, to_be_sent
from rnnlm.lease import lease_folder, leased_cores, uses_gpu, visible_cores
from rnnlm.train import LOG_NAME

# What a run that SIGTERM has asked to stop gets to save, before it is killed.
SECONDS_TO_SAVE = 4.0


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

    Args:
        runs_at_once: None is as many as the machine has GPUs, times `runs_per_gpu`, if the runs
            train on such, and else as it has cores. The cores are divided among them.
    """

    def __init__(self, runs_at_once: int | None = 1) -> None:
        self._runs_at_once = runs_at_once

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
        """Run every job; Ctrl-C and SIGTERM are passed on to those at work, which save."""
        process_server.start()
        at_once = min(self._runs_at_once or self._places(), len(job_overrides))
        num_threads = max(1, torch.get_num_threads() // at_once)
        waiting = deque(enumerate(job_overrides))
        at_work: dict[int, _Job] = {}
        returns: dict[int, JobReturn] = {}
        try:
            while waiting or at_work:
                while waiting and len(at_work) < at_once:
                    index, overrides = waiting.popleft()
                    job = self._start(index, list(overrides), initial_job_idx + index, num_threads)
                    at_work[job.process.sentinel] = job
                for sentinel in wait(list(at_work)):
                    assert isinstance(sentinel, int)
                    job = at_work.pop(sentinel)
                    returns[job.index] = _outcome(job)
                    self.on_end(job.index, returns[job.index])
        except KeyboardInterrupt:
            # However long it takes; a second Ctrl-C does not wait for it.
            _stop(at_work.values(), STOP_AFTER_SAVING, seconds=None)
            raise
        except BaseException:
            _stop(at_work.values(), signal.SIGTERM, SECONDS_TO_SAVE)
            raise
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
    _speak_into_log(Path(config.hydra.sweep.dir, config.hydra.sweep.subdir))
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
    sender.send(to_be_sent(returned))


def _leave(signal_number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signal.SIGTERM)


def _speak_into_log(folder: Path) -> None:
    """What is printed below Python, and a crash there, goes where the run's log is."""
    folder.mkdir(parents=True, exist_ok=True)
    log = os.open(folder / LOG_NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
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


def _outcome(job: _Job) -> JobReturn:
    """What a process that has ended has said, or else how it has ended."""
    job.process.join()
    try:
        returned: JobReturn = job.receiver.recv()
    except EOFError:
        return failed(DiedError(_how_it_ended(job.process.exitcode)))
    finally:
        job.receiver.close()
    return returned


def _how_it_ended(exit_code: int | None) -> str:
    if exit_code == -signal.SIGKILL:
        return "killed by SIGKILL, as the system does where memory runs out"
    if exit_code is not None and exit_code < 0:
        return f"killed by {signal.Signals(-exit_code).name}"
    if exit_code == 128 + signal.SIGTERM:
        return "stopped by SIGTERM"
    return f"its process ended with status {exit_code}, see {LOG_NAME} in its folder"


def _stop(jobs: Iterable[_Job], number: int, seconds: float | None) -> None:
    """Ask the runs by a signal to stop, and kill those that have not after some seconds."""
    jobs = list(jobs)
    deadline = None if seconds is None else time.monotonic() + seconds
    try:
        for job in jobs:
            if job.process.pid is not None and job.process.is_alive():
                os.kill(job.process.pid, number)
        for job in jobs:
            job.process.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
    finally:
        for job in jobs:
            job.process.kill()
            job.process.join()
