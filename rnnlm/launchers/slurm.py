"""Runs on a Slurm cluster: an array job, a task of it for each run, by submitit.

submitit writes the job's script, calls in each task what was pickled for it, and queues a task
again whose time is up. What is ours here is to ask sbatch and to wait: a refusal is told in a line,
no task that fails takes the others with it, none is left in the queue when the sweep is stopped,
and nothing depends on Slurm's accounting, which a cluster need not have.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict
from submitit import JobEnvironment, SlurmExecutor, SlurmJob
from submitit.core.utils import DelayedSubmission, JobPaths, pickle_load

from rnnlm.launchers.launcher import DiedError, ReportingLauncher, failed, to_be_sent
from rnnlm.launchers.options import SlurmOptions
from rnnlm.launchers.stop_signals import StopSignals, Urgency
from rnnlm.options import OptionError
from rnnlm.results.record import FILE_NAME as RECORD_NAME
from rnnlm.trainer import last_checkpoint

SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_BETWEEN_QUERIES = 5.0
# What Slurm's commands may take to answer, sbatch also once the sweep is to stop.
SECONDS_TO_ANSWER, SECONDS_TO_ANSWER_WHEN_STOPPING = 120.0, 10.0
# What a result may take to be seen on a shared file system after its task has ended: with success,
# in a way that Slurm does not say, and otherwise, when there is hardly one to come.
SECONDS_TO_APPEAR = {"COMPLETED": 180.0, None: 60.0}
SECONDS_TO_APPEAR_AFTER_FAILURE = 15.0
# What tasks that are to stop get to save, before they are ended.
SECONDS_TO_SAVE = {Urgency.SAVED: 60.0, Urgency.SOON: 4.0, Urgency.NOW: 0.0}

_ENDED = {
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "TIMEOUT",
}


class TimeLimitError(Exception):
    """A task's time was up before it had saved anything that the next could go on from."""


class SlurmLauncher(ReportingLauncher):
    """Submits the runs as one array job and waits for them all, whatever becomes of any.

    A task whose time is up saves, and is queued again by submitit; one that is pre-empted saves,
    and is queued again by Slurm, if the cluster is set up so. Either goes on from `last.ckpt`.
    """

    def __init__(self, options: SlurmOptions) -> None:
        self._options = options

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """As Hydra sets up its launchers.

        Raises:
            OptionError: there is no Slurm here, or no run could be carried out by it as asked.
        """
        for program in ("sbatch", "srun", "squeue", "scancel"):
            if shutil.which(program) is None:
                raise OptionError(
                    "hydra/launcher", f"slurm is not on this machine, there is no {program}"
                )
        minutes, delay = self._options.timeout_min, self._options.signal_delay_s
        if minutes * 60 <= delay:
            raise OptionError(
                "hydra.launcher.timeout_min",
                f"{minutes} is no more than hydra.launcher.signal_delay_s={delay} seconds: a run "
                "would be told to stop as it starts",
            )
        self.hydra_context = hydra_context
        self.task_function = task_function
        self.config = config
        _refuse_patterns(Path(self._options.submitit_folder), Path(config.hydra.sweep.dir))

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run every job; Ctrl-C and SIGTERM take the job back, upon which runs at work save.

        Raises:
            OptionError: Slurm refuses the job.
        """
        tasks = [
            Task(
                self.hydra_context,
                self.task_function,
                self.config,
                list(overrides),
                number,
                self._options.timeout_min * 60.0 - self._options.signal_delay_s,
                Singleton.get_state(),
            )
            for number, overrides in enumerate(job_overrides, initial_job_idx)
        ]
        with StopSignals() as signals:
            job_id, jobs = _submit(self._executor(len(tasks)), tasks, signals)
            returns: dict[int, JobReturn] = {}
            try:
                print(f"submitted to Slurm as job {job_id}", flush=True)
                self._wait(job_id, jobs, returns, signals)
            finally:
                # The end of a terminal is none of the cluster's: the runs go on.
                if len(returns) < len(jobs) and not signals.has_hung_up:
                    _take_back(job_id, signals)
        return [returns[index] for index in range(len(jobs))]

    def _executor(self, num_tasks: int) -> SlurmExecutor:
        """submitit's, with the options of `hydra.launcher` under sbatch's names."""
        options = self._options
        gpus = options.gpus_per_node
        if self.config.trainer.accelerator in ("gpu", "cuda") and not options.gpus_per_task:
            gpus = gpus or 1
        parent = Path(options.submitit_folder).absolute()
        parent.mkdir(parents=True, exist_ok=True)
        # Numbers of jobs may come again, on a cluster that was set up anew.
        folder = tempfile.mkdtemp(prefix=time.strftime("%Y%m%d-%H%M%S-"), dir=parent)
        executor = SlurmExecutor(folder, options.max_num_timeout)
        parameters = {
            "job_name": options.name,
            "time": options.timeout_min,
            "ntasks_per_node": 1,
            "mem": None if options.mem_gb is None else f"{round(options.mem_gb * 1024)}MB",
            "gpus_per_node": gpus,
            **{
                name: getattr(options, name)
                for name in (
                    "account",
                    "additional_parameters",
                    "array_parallelism",
                    "comment",
                    "constraint",
                    "cpus_per_gpu",
                    "cpus_per_task",
                    "exclude",
                    "gpus_per_task",
                    "gres",
                    "mem_per_cpu",
                    "mem_per_gpu",
                    "partition",
                    "qos",
                    "setup",
                    "signal_delay_s",
                    "stderr_to_stdout",
                )
            },
        }
        executor.update_parameters(**{k: v for k, v in parameters.items() if v is not None})
        executor.parameters["map_count"] = num_tasks
        return executor

    def _wait(
        self,
        job_id: str,
        jobs: Sequence[SlurmJob[JobReturn]],
        returns: dict[int, JobReturn],
        signals: StopSignals,
    ) -> None:
        """Wait for what comes of each job, by its result or by its having ended without one."""
        left_at: dict[int, float] = {}
        asked = -SECONDS_BETWEEN_QUERIES
        while len(returns) < len(jobs) and not signals.urgency:
            if time.monotonic() - asked > SECONDS_BETWEEN_QUERIES:
                states = _states(job_id)
                asked = time.monotonic()
            for index, job in enumerate(jobs):
                if index in returns:
                    continue
                state = None if states is None else states.get(job.job_id)
                if _is_seen(job.paths.result_pickle):
                    returns[index] = _result(job.paths.result_pickle)
                elif states is not None and (state is None or state in _ENDED):
                    patience = SECONDS_TO_APPEAR.get(state, SECONDS_TO_APPEAR_AFTER_FAILURE)
                    if time.monotonic() - left_at.setdefault(index, time.monotonic()) < patience:
                        continue
                    returns[index] = failed(DiedError(_how_it_ended(job, state)))
                else:
                    left_at.pop(index, None)
                    continue
                self.on_end(index, returns[index])
            time.sleep(SECONDS_BETWEEN_LOOKS)


@dataclass
class Task:
    """One run in a task of the array job: submitit calls it, and `checkpoint` at a time limit."""

    context: HydraContext
    task_function: TaskFunction
    config: DictConfig
    overrides: list[str]
    number: int
    # What it gets before it is told that its time is up.
    seconds: float
    singletons: dict[type, Singleton]

    def __call__(self) -> JobReturn:
        """Carry out the run, with the threads that Slurm has given it."""
        self._started = time.monotonic()
        if "OMP_NUM_THREADS" not in os.environ and "SLURM_CPUS_PER_TASK" in os.environ:
            torch.set_num_threads(int(os.environ["SLURM_CPUS_PER_TASK"]))
        Singleton.set_state(self.singletons)
        setup_globals()
        config = self.context.config_loader.load_sweep_config(self.config, self.overrides)
        with open_dict(config):
            config.hydra.job.id = JobEnvironment().job_id
            config.hydra.job.num = self.number
        self._folder = Path(config.hydra.sweep.dir, config.hydra.sweep.subdir)
        self._saved = _newest_save(self._folder)
        return to_be_sent(
            run_job(
                hydra_context=self.context,
                task_function=self.task_function,
                config=config,
                job_dir_key="hydra.sweep.dir",
                job_subdir_key="hydra.sweep.subdir",
            )
        )

    def checkpoint(self) -> DelayedSubmission:
        """What is queued for the time after this: the same run, which goes on.

        Raises:
            TimeLimitError: it would come no further. Of a run that was pre-empted early, that is
                not known.
        """
        lasted = time.monotonic() - self._started
        if lasted > self.seconds / 2 and _newest_save(self._folder) == self._saved:
            raise TimeLimitError(
                "nothing new could be saved before the time was up, so it would never end; "
                "a longer hydra.launcher.timeout_min is needed"
            )
        return DelayedSubmission(self)


def _refuse_patterns(folder: Path, output_dir: Path) -> None:
    """Refuse a folder for Slurm's files in whose path Slurm or submitit would read another."""
    for character in "%\\\n\r":
        if character not in str(folder.absolute()):
            continue
        of_output = character in str(output_dir.absolute())
        raise OptionError(
            "output_dir" if of_output else "hydra.launcher.submitit_folder",
            f"{str(folder.absolute())!r} holds {character!r}, which is no plain character in the "
            "names of Slurm's files; hydra.launcher.submitit_folder puts them elsewhere",
        )


def _newest_save(folder: Path) -> int | None:
    """When a run, or a row of its adaptation, has last saved what the next attempt goes on from."""
    names = (last_checkpoint(folder).name, RECORD_NAME)
    saved = [path.stat().st_mtime_ns for path in folder.rglob("*") if path.name in names]
    return max(saved, default=None)


def _submit(
    executor: SlurmExecutor, tasks: Sequence[Task], signals: StopSignals
) -> tuple[str, list[SlurmJob[JobReturn]]]:
    """Submit the tasks as an array job; returns its number and submitit's view of each task.

    submitit's own `map_array` is not asked: it says what sbatch says in many lines, waits for ever,
    and what it has queued when a signal comes is known to nobody.

    Raises:
        OptionError: Slurm refuses the job; nothing of it is left.
    """
    folder = executor.folder
    script = folder / "submission.sh"
    pickles = [folder / f"{index}.pkl" for index in range(len(tasks))]
    job_id = None
    try:
        for task, path in zip(tasks, pickles, strict=True):
            submission = DelayedSubmission(task)
            submission.set_timeout(executor.parameters["time"], executor.max_num_timeout)
            submission.dump(path)
        script.write_text(
            executor._make_submission_file_text(executor._submitit_command_str, script.stem),
            encoding="utf-8",
        )
        job_id = _sbatch(script, signals)
        jobs = [SlurmJob[JobReturn](folder, f"{job_id}_{i}", [0]) for i in range(len(tasks))]
        for job, path in zip(jobs, pickles, strict=True):
            path.rename(job.paths.submitted_pickle)
    except BaseException:
        if job_id is not None:
            _scancel(job_id)
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return job_id, jobs


def _sbatch(script: Path, signals: StopSignals) -> str:
    """Have sbatch queue the script; returns the number of the job.

    Raises:
        OptionError: sbatch refuses, or does not answer.
    """
    asked = time.monotonic()
    # Of a group of its own: Ctrl-C at a terminal would end it with the job queued or not.
    with subprocess.Popen(
        ["sbatch", str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        process_group=0,
    ) as sbatch:
        deadline = asked + SECONDS_TO_ANSWER
        while True:
            try:
                answer, complaint = sbatch.communicate(timeout=SECONDS_BETWEEN_LOOKS)
                break
            except subprocess.TimeoutExpired:
                if signals.urgency:
                    deadline = min(deadline, time.monotonic() + SECONDS_TO_ANSWER_WHEN_STOPPING)
                if time.monotonic() < deadline and signals.urgency is not Urgency.NOW:
                    continue
                sbatch.kill()
                sbatch.communicate()
                if (job_id := _job_of(script)) is not None:
                    _scancel(job_id)
                complaint = f"sbatch has not answered in {time.monotonic() - asked:.0f} s"
                raise _refused(complaint) from None
    if sbatch.returncode != 0:
        raise _refused(complaint or f"sbatch ended with status {sbatch.returncode}")
    try:
        return SlurmExecutor._get_job_id_from_submission_command(answer)
    except Exception:
        raise _refused(f"sbatch gave no number of a job but {answer.strip()!r}") from None


def _refused(complaint: str) -> OptionError:
    lines = [line.strip().removeprefix("sbatch: error: ") for line in complaint.splitlines()]
    said = "; ".join(line for line in lines if line)
    return OptionError("hydra/launcher", f"Slurm refused the job: {said}")


def _ask(*command: str) -> subprocess.CompletedProcess[str] | None:
    """What a command of Slurm's answers; None where it does not."""
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=SECONDS_TO_ANSWER
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def _states(job_id: str) -> dict[str, str] | None:
    """The state of each task of an array job that Slurm still knows; None where it does not say."""
    answer = _ask(
        "squeue", "--noheader", "--array", "--states=all", "--format=%i %T", f"--jobs={job_id}"
    )
    if answer is None or answer.returncode != 0:
        unknown = answer is not None and "Invalid job id" in answer.stderr
        return {} if unknown else None
    lines = [line.split() for line in answer.stdout.splitlines()]
    return {line[0]: line[1] for line in lines if len(line) == 2}


def _job_of(script: Path) -> str | None:
    """The number of the job that was queued from the script, if one was."""
    answer = _ask("squeue", "--noheader", "--me", "--format=%F %o")
    for line in answer.stdout.splitlines() if answer else ():
        job_id, _, command = line.partition(" ")
        if command.strip() == str(script):
            return job_id
    return None


def _take_back(job_id: str, signals: StopSignals) -> None:
    """Drop the tasks that wait, ask those at work to save and stop, and end those that have not."""
    started = time.monotonic()
    try:
        _scancel("--state=PENDING", job_id)
        _scancel("--signal=TERM", job_id)
        while (states := _states(job_id)) is None or not _ENDED.issuperset(states.values()):
            # Without a signal, an error is what ends the sweep.
            if time.monotonic() - started > SECONDS_TO_SAVE[signals.urgency or Urgency.SOON]:
                break
            time.sleep(SECONDS_BETWEEN_LOOKS)
    finally:
        answer = _scancel(job_id)
        if answer is None or (answer.returncode and "Invalid job id" not in answer.stderr):
            line = f"Slurm has not taken back what is left of the job: scancel {job_id}"
            print(line, file=sys.stderr, flush=True)


def _scancel(*arguments: str) -> subprocess.CompletedProcess[str] | None:
    return _ask("scancel", *arguments)


def _is_seen(path: Path) -> bool:
    """Whether the file is there; its folder is read first, as NFS forgets no absence before."""
    try:
        with os.scandir(path.parent) as entries:
            next(entries, None)
    except OSError:
        return False
    return path.exists()


def _result(path: Path) -> JobReturn:
    """What a task has left: what came of its run, or the error that kept it from saying so."""
    try:
        outcome, result = pickle_load(path)
    except Exception as error:
        return failed(DiedError(f"{path} cannot be read: {type(error).__name__}"))
    if outcome == "success" and isinstance(result, JobReturn):
        return result
    return failed(DiedError(str(result).strip().splitlines()[-1]))


def _how_it_ended(job: SlurmJob[JobReturn], state: str | None) -> str:
    how = (
        f"ended as {state}"
        if state is not None
        else "was killed or cancelled, or has run out of time or memory"
    )
    return f"its Slurm job {job.job_id} {how}; see {JobPaths(job.paths.folder, job.job_id).stderr}"
