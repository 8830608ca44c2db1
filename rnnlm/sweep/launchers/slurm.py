"""Runs on a Slurm cluster, by submitit: an array job with a task for each run.

submitit writes the job's script, calls in each task what was pickled for it, and queues a task
again when its time is up. Asking sbatch and waiting are done here: a refusal is one line, a task
that fails leaves the others alone, a stopped sweep leaves none in the queue, and nothing depends on
Slurm's accounting, which many clusters do not have.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig
from submitit import SlurmExecutor, SlurmJob
from submitit.core.utils import DelayedSubmission, JobPaths, pickle_load

from rnnlm.hardware import requires_gpu
from rnnlm.options import OptionError
from rnnlm.signals.stop_signals import StopSignals
from rnnlm.sweep.launchers.launcher import DiedError, ReportingLauncher, failed_job
from rnnlm.sweep.launchers.options import SlurmOptions
from rnnlm.sweep.launchers.slurm_commands import ENDED, cancel, sbatch, scancel, states_of
from rnnlm.sweep.launchers.slurm_task import SlurmTask

SECONDS_BETWEEN_RESULT_CHECKS = 1.0
SECONDS_BETWEEN_QUERIES = 5.0
# After a task has ended, its result may take this long to appear on a shared file system.
SECONDS_TO_APPEAR = {
    "COMPLETED": 180.0,
    None: 60.0,  # Slurm does not know how the task ended
}
SECONDS_TO_APPEAR_AFTER_FAILURE = 15.0  # a failed task hardly ever leaves a result


class SlurmLauncher(ReportingLauncher[SlurmOptions]):
    """Submits the runs as one array job, and waits for all of them.

    A task whose time is up saves, and submitit queues it again. A task that is pre-empted saves,
    and Slurm queues it again if the cluster is set up so. Both go on from `last.ckpt`.
    """

    is_elsewhere = True

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what Hydra gives its launchers.

        Raises:
            OptionError: there is no Slurm here, or it could not carry out any run as asked.
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
        super().setup(hydra_context=hydra_context, task_function=task_function, config=config)
        _refuse_special_characters(
            Path(self._options.submitit_folder), Path(config.hydra.sweep.dir)
        )

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run every job; Ctrl-C and SIGTERM cancel the Slurm job, and runs in progress save.

        Raises:
            OptionError: Slurm refuses the job.
        """
        tasks = [
            SlurmTask(
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
                if self.config.trainer.accelerator == "auto" and not self._asks_for_gpu():
                    print("Slurm was asked for no GPU; trainer=gpu asks for one", flush=True)
                self._wait(job_id, jobs, returns, signals)
            finally:
                # When only the terminal is closed, the runs go on in the cluster.
                if len(returns) < len(jobs) and not signals.has_hung_up:
                    cancel(job_id, signals)
        return [returns[index] for index in range(len(jobs))]

    def _executor(self, num_tasks: int) -> SlurmExecutor:
        parameters = dataclasses.asdict(self._options)
        del parameters["_target_"]
        parent = Path(parameters.pop("submitit_folder")).absolute()
        parent.mkdir(parents=True, exist_ok=True)
        # Slurm's job numbers repeat on a cluster that has been set up anew.
        folder = tempfile.mkdtemp(prefix=time.strftime("%Y%m%d-%H%M%S-"), dir=parent)
        executor = SlurmExecutor(folder, parameters.pop("max_num_timeout"))
        parameters["job_name"] = parameters.pop("name")
        parameters["time"] = parameters.pop("timeout_min")
        parameters["ntasks_per_node"] = 1
        if (memory := parameters.pop("mem_gb")) is not None:
            parameters["mem"] = f"{round(memory * 1024)}MB"
        if requires_gpu(self.config.trainer.accelerator) and not self._asks_for_gpu():
            parameters["gpus_per_node"] = 1
        executor.update_parameters(**{k: v for k, v in parameters.items() if v is not None})
        executor.parameters["map_count"] = num_tasks
        return executor

    def _asks_for_gpu(self) -> bool:
        """Tell whether an option of the launcher asks Slurm for GPUs."""
        more = self._options.additional_parameters
        counts = [self._options.gpus_per_node, self._options.gpus_per_task]
        counts += [more[name] for name in more if name.startswith("gpus")]
        return any(counts) or "gpu" in f"{self._options.gres} {more.get('gres')}"

    def _wait(
        self,
        job_id: str,
        jobs: Sequence[SlurmJob[JobReturn]],
        returns: dict[int, JobReturn],
        signals: StopSignals,
    ) -> None:
        """Wait until each job has left a result, or has ended without one."""
        ended_at: dict[int, float] = {}
        queried_at = -SECONDS_BETWEEN_QUERIES
        while len(returns) < len(jobs) and not signals.urgency:
            if time.monotonic() - queried_at > SECONDS_BETWEEN_QUERIES:
                states = states_of(job_id)
                queried_at = time.monotonic()
            for index, job in enumerate(jobs):
                if index in returns:
                    continue
                state = None if states is None else states.get(job.job_id)
                if _exists(job.paths.result_pickle):
                    returns[index] = result_of(job.paths.result_pickle)
                elif states is not None and (state is None or state in ENDED):
                    patience = SECONDS_TO_APPEAR.get(state, SECONDS_TO_APPEAR_AFTER_FAILURE)
                    if time.monotonic() - ended_at.setdefault(index, time.monotonic()) < patience:
                        continue
                    returns[index] = failed_job(DiedError(_how_it_ended(job, state)))
                else:
                    ended_at.pop(index, None)
                    continue
                self.on_end(index, returns[index])
            time.sleep(SECONDS_BETWEEN_RESULT_CHECKS)


def _refuse_special_characters(folder: Path, output_dir: Path) -> None:
    """Refuse a folder whose path Slurm or submitit would misread."""
    for character in "%\\\n\r":
        if character not in str(folder.absolute()):
            continue
        raise OptionError(
            "output_dir"
            if character in str(output_dir.absolute())
            else "hydra.launcher.submitit_folder",
            f"{str(folder.absolute())!r} holds {character!r}, which means something else to Slurm; "
            "hydra.launcher.submitit_folder puts its files elsewhere",
        )


def _submit(
    executor: SlurmExecutor, tasks: Sequence[SlurmTask], signals: StopSignals
) -> tuple[str, list[SlurmJob[JobReturn]]]:
    """Submit the tasks as an array job, and return its number and submitit's jobs.

    submitit's own `map_array` shows an error of sbatch in many lines, waits for ever, and forgets
    the job it has queued if a signal comes.

    Raises:
        OptionError: Slurm refuses the job; nothing of it remains.
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
        # submitit has no public call that writes the script without submitting it.
        make_text, command = executor._make_submission_file_text, executor._submitit_command_str  # noqa: SLF001
        script.write_text(make_text(command, script.stem), encoding="utf-8")
        job_id = sbatch(script, signals)
        jobs = [SlurmJob[JobReturn](folder, f"{job_id}_{i}", [0]) for i in range(len(tasks))]
        for job, path in zip(jobs, pickles, strict=True):
            path.rename(job.paths.submitted_pickle)
    except BaseException:
        if job_id is not None:
            scancel(job_id)
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return job_id, jobs


def _exists(path: Path) -> bool:
    """Return True if a file exists. NFS remembers its absence until its folder is read."""
    try:
        with os.scandir(path.parent) as entries:
            next(entries, None)
    except OSError:
        return False
    return path.exists()


def result_of(path: Path) -> JobReturn:
    """Read what a task has left: the result of its run, or the error that prevented one."""
    try:
        state, result = pickle_load(path)
    except Exception as error:
        return failed_job(DiedError(f"{path} cannot be read: {type(error).__name__}"))
    if state == "success" and isinstance(result, JobReturn):
        return result
    return failed_job(DiedError(str(result).strip().splitlines()[-1]))


def _how_it_ended(job: SlurmJob[JobReturn], state: str | None) -> str:
    how = (
        f"ended as {state}"
        if state is not None
        else "was killed or cancelled, or has run out of time or memory"
    )
    return f"its Slurm job {job.job_id} {how}; see {JobPaths(job.paths.folder, job.job_id).stderr}"
