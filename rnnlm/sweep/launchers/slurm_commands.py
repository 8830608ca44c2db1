"""Slurm's commands: sbatch queues a job, squeue tells its tasks' states, scancel cancels it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from rnnlm.options import OptionError
from rnnlm.signals.stop_signals import StopSignals, Urgency

SECONDS_BETWEEN_CHECKS = 1.0
# A command may take this long to answer, and sbatch while the sweep stops.
SECONDS_TO_ANSWER, SECONDS_TO_ANSWER_WHEN_STOPPING = 120.0, 10.0
# Tasks that are to stop may take this long to save before they are cancelled.
SECONDS_TO_SAVE = {Urgency.AFTER_SAVING: 60.0, Urgency.SOON: 4.0, Urgency.NOW: 0.0}
# States of a task that neither waits nor runs.
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
    """Queue a script with sbatch, and return the number of its job.

    Raises:
        OptionError: sbatch refuses, or does not answer.
    """
    asked = time.monotonic()
    # In a process group of its own: Ctrl-C at a terminal would end it, with the job queued or not.
    with subprocess.Popen(
        ["sbatch", "--parsable", str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        process_group=0,
    ) as process:
        deadline = asked + SECONDS_TO_ANSWER
        while True:
            try:
                answer, complaint = process.communicate(timeout=SECONDS_BETWEEN_CHECKS)
                break
            except subprocess.TimeoutExpired:
                if signals.urgency:
                    deadline = min(deadline, time.monotonic() + SECONDS_TO_ANSWER_WHEN_STOPPING)
                if time.monotonic() < deadline and signals.urgency is not Urgency.NOW:
                    continue
                process.kill()
                process.communicate()
                if (job_id := _job_number(script)) is not None:
                    scancel(job_id)
                complaint = f"sbatch has not answered in {time.monotonic() - asked:.0f} s"
                raise _refused(complaint) from None
    if process.returncode != 0:
        raise _refused(complaint or f"sbatch ended with status {process.returncode}")
    job_id, _, _ = answer.strip().partition(";")  # before the name of a cluster
    if not job_id.isdecimal():
        raise _refused(f"sbatch gave no job number but {answer.strip()!r}")
    return job_id


def _refused(complaint: str) -> OptionError:
    lines = [line.strip().removeprefix("sbatch: error: ") for line in complaint.splitlines()]
    said = "; ".join(line for line in lines if line)
    return OptionError("hydra/launcher", f"Slurm refused the job: {said}")


def _run(*command: str) -> subprocess.CompletedProcess[str] | None:
    """Run a command of Slurm's; None if it does not answer."""
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
    """Return the states of an array job's tasks that Slurm still knows; None if it does not say."""
    answer = _run(
        "squeue", "--noheader", "--array", "--states=all", "--format=%i %T", f"--jobs={job_id}"
    )
    if answer is None or answer.returncode != 0:
        unknown = answer is not None and "Invalid job id" in answer.stderr
        return {} if unknown else None
    lines = [line.split() for line in answer.stdout.splitlines()]
    return {line[0]: line[1] for line in lines if len(line) == 2}


def _job_number(script: Path) -> str | None:
    """Return the number of the job that was queued from a script, if one was."""
    answer = _run("squeue", "--noheader", "--me", "--format=%F %o")
    for line in answer.stdout.splitlines() if answer else ():
        job_id, _, command = line.partition(" ")
        if command.strip() == str(script):
            return job_id
    return None


def cancel(job_id: str, signals: StopSignals) -> None:
    """Cancel the waiting tasks, ask running ones to save and stop, and cancel those that do not."""
    started = time.monotonic()
    try:
        scancel("--state=PENDING", job_id)
        scancel("--signal=TERM", job_id)
        while (states := states_of(job_id)) is None or not ENDED.issuperset(states.values()):
            # If no signal has come, an exception ends the sweep.
            if time.monotonic() - started > SECONDS_TO_SAVE[signals.urgency or Urgency.SOON]:
                break
            time.sleep(SECONDS_BETWEEN_CHECKS)
    finally:
        answer = scancel(job_id)
        if answer is None or (answer.returncode and "Invalid job id" not in answer.stderr):
            line = f"Slurm has not cancelled the rest of the job; type scancel {job_id}"
            print(line, file=sys.stderr, flush=True)


def scancel(*arguments: str) -> subprocess.CompletedProcess[str] | None:
    """Run scancel; None if it does not answer."""
    return _run("scancel", *arguments)
