"""NVIDIA's Multi-Process Service (MPS): several processes compute on a GPU at the same time.

Without it they take turns. The program `nvidia-cuda-mps-control` starts a daemon and talks to it;
the daemon starts a server for the first process that computes. They meet the processes in the
folder that CUDA_MPS_PIPE_DIRECTORY names (https://docs.nvidia.com/deploy/mps).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from rnnlm.hardware import VISIBLE_GPUS, Gpu
from rnnlm.runs.failure import reason
from rnnlm.signals.handlers import ignore_interrupts
from rnnlm.sweep.launchers import process_server
from rnnlm.sweep.launchers.gpus import why_unusable

CONTROL = "nvidia-cuda-mps-control"
PIPES, LOGS = "CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_LOG_DIRECTORY"
USUAL_PIPES = "/tmp/nvidia-mps"
SECONDS_TO_START, SECONDS_TO_ANSWER, SECONDS_TO_QUIT = 20.0, 10.0, 20.0
SECONDS_BETWEEN_CHECKS = 0.1


class ServiceError(Exception):
    """MPS cannot be used: why, in a line."""


@contextlib.contextmanager
def multi_process_service(gpus: Sequence[Gpu]) -> Iterator[Mapping[str, str]]:
    """Have processes share the GPUs by MPS while the context lasts.

    A service that is running already is used, and left running. One that is started here ends with
    the context, or soon after this process has died.

    Yields:
        The environment variables that a process needs to use the service.

    Raises:
        ServiceError: there is no service that works.
    """
    if _is_running() and why_unusable({}) is None:
        yield {}
        return
    if shutil.which(CONTROL) is None:
        raise ServiceError(f"there is no {CONTROL}")
    if len(gpus) > 1 and gpus[0].is_slice:
        raise ServiceError("it serves only one slice of a GPU")
    try:
        # Not in TMPDIR, which may be too long for the name of a socket.
        folder = tempfile.mkdtemp(prefix="rnnlm-mps-", dir="/tmp")
    except OSError as error:
        raise ServiceError(f"no folder in /tmp can be made ({error.strerror})") from error
    # Numbers would be counted twice: by the daemon and, among its GPUs, by each process.
    visible = ",".join(gpu.uuid for gpu in gpus)
    environment = {PIPES: folder, LOGS: folder, VISIBLE_GPUS: visible}
    with _daemon(environment):
        yield environment


def _is_running() -> bool:
    """Tell whether there is a service that processes use without being told."""
    if not Path(os.environ.get(PIPES) or USUAL_PIPES, "control").exists():
        return False
    # In a container, the service may be the host's, and the program not there.
    return shutil.which(CONTROL) is None or _tell("get_server_list", {})


def _tell(command: str, environment: Mapping[str, str]) -> bool:
    """Give the daemon a command, and tell whether it has obeyed."""
    try:
        done = subprocess.run(
            [CONTROL],
            input=f"{command}\n",
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS_TO_QUIT if command == "quit" else SECONDS_TO_ANSWER,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


@contextlib.contextmanager
def _daemon(environment: Mapping[str, str]) -> Iterator[None]:
    """Have a daemon, and a server that works, while the context lasts."""
    context = process_server.start_method_context()
    ours, theirs = context.Pipe()
    keeper = context.Process(  # type: ignore[attr-defined]
        target=_keep, args=({**os.environ, **environment}, theirs), name="MPS"
    )
    try:
        keeper.start()
    except (OSError, EOFError) as no_process:
        raise ServiceError(f"no process for it: {reason(no_process)}") from no_process
    theirs.close()
    try:
        _wait_for_answer(environment, ours)
        if error := why_unusable(environment):
            raise ServiceError(error)
        yield
    finally:
        ours.close()
        keeper.join()


def _wait_for_answer(environment: Mapping[str, str], ours: Connection) -> None:
    """Wait until the daemon answers.

    Args:
        ours: gives the reason why there is none, if it has ended.
    """
    deadline = time.monotonic() + SECONDS_TO_START
    while not _tell("get_server_list", environment):
        try:
            if ours.poll(SECONDS_BETWEEN_CHECKS):
                raise ServiceError(f"{CONTROL} {ours.recv()}")
        except EOFError as error:
            raise ServiceError(f"{CONTROL} has no process any more") from error
        if time.monotonic() > deadline:
            raise ServiceError(f"{CONTROL} does not answer")


def _keep(environment: dict[str, str], theirs: Connection) -> None:
    """Run the daemon until the launcher closes its end of the connection, or dies."""
    ignore_interrupts()
    os.setsid()  # a signal to all processes of the sweep does not end this one
    folder = Path(environment[PIPES])
    output = folder / "output"
    try:
        with output.open("w") as file:
            daemon = subprocess.Popen(
                [CONTROL, "-f"],  # in the foreground
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        theirs.send(f"cannot be started ({error.strerror})")
        return
    try:
        while daemon.poll() is None and not theirs.poll(SECONDS_BETWEEN_CHECKS):
            pass
        if daemon.poll() is None:
            if _tell("quit", environment):  # which waits for the processes that compute
                with contextlib.suppress(subprocess.TimeoutExpired):
                    daemon.wait(SECONDS_TO_ANSWER)
        else:
            said = output.read_text(errors="replace").strip().splitlines()
            with contextlib.suppress(BrokenPipeError):
                theirs.send(f"ended with status {daemon.returncode}: {' '.join(said[-1:])}")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(daemon.pid, signal.SIGKILL)
        daemon.wait()
        shutil.rmtree(folder, ignore_errors=True)
