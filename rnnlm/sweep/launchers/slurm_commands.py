"""Slurm's commands: sbatch queues a job, squeue tells of its tasks, scancel takes it back."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from submitit import SlurmExecutor

from rnnlm.options import OptionError
from rnnlm.signals.stop_signals import StopSignals, Urgency

SECONDS_BETWEEN_LOOKS = 1.0
# What a command may take to answer, sbatch also once the sweep is to stop.
SECONDS_TO_ANSWER, SECONDS_TO_ANSWER_WHEN_STOPPING = 120.0, 10.0
# What tasks that are to stop get to save, before they are ended.
SECONDS_TO_SAVE = {Urgency.SAVED: 60.0, Urgency.SOON: 4.0, Urgency.NOW: 0.0}
# The states of a task that is neither waiting nor at work.
ENDED = {
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


def sbatch(script: Path, signals: StopSignals) -> str:
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
    ) as process:
        deadline = asked + SECONDS_TO_ANSWER
        while True:
            try:
                answer, complaint = process.communicate(timeout=SECONDS_BETWEEN_LOOKS)
                break
            except subprocess.TimeoutExpired:
                if signals.urgency:
                    deadline = min(deadline, time.monotonic() + SECONDS_TO_ANSWER_WHEN_STOPPING)
                if time.monotonic() < deadline and signals.urgency is not Urgency.NOW:
                    continue
                process.kill()
                process.communicate()
                if (job_id := _job_of(script)) is not None:
                    scancel(job_id)
                complaint = f"sbatch has not answered in {time.monotonic() - asked:.0f} s"
                raise _refused(complaint) from None
    if process.returncode != 0:
        raise _refused(complaint or f"sbatch ended with status {process.returncode}")
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
            command,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=SECONDS_TO_ANSWER,
            process_group=0,  # a second Ctrl-C is not to end it
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def states_of(job_id: str) -> dict[str, str] | None:
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


def take_back(job_id: str, signals: StopSignals) -> None:
    """Drop the tasks that wait, ask those at work to save and stop, and end those that have not."""
    started = time.monotonic()
    try:
        scancel("--state=PENDING", job_id)
        scancel("--signal=TERM", job_id)
        while (states := states_of(job_id)) is None or not ENDED.issuperset(states.values()):
            # Without a signal, an error is what ends the sweep.
            if time.monotonic() - started > SECONDS_TO_SAVE[signals.urgency or Urgency.SOON]:
                break
            time.sleep(SECONDS_BETWEEN_LOOKS)
    finally:
        answer = scancel(job_id)
        if answer is None or (answer.returncode and "Invalid job id" not in answer.stderr):
            line = f"Slurm has not taken back what is left of the job: scancel {job_id}"
            print(line, file=sys.stderr, flush=True)


def scancel(*arguments: str) -> subprocess.CompletedProcess[str] | None:
    """Give the arguments to scancel; returns None where it does not answer."""
    return _ask("scancel", *arguments)
