"""What a machine has few of, GPUs and cores, divided among the runs on it.

By lock and not by number, so that no two runs collide, whichever sweeps they belong to; a lock ends
with the process that holds it at the latest. Leases are a courtesy: where the locks cannot be had,
a run goes on without.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from platformdirs import user_cache_path

from rnnlm.files.lock import locked
from rnnlm.hardware import uses_gpu, visible_gpus

SECONDS_BETWEEN_TRIES = 0.5

log = logging.getLogger(__name__)


def lease_folder() -> Path | None:
    """The folder of the locks of this user's runs on this machine; None where there is no home.

    It is below the user's own, so that nobody else can be in the way. A home may be shared by
    several machines, whose cores and GPUs are not: each has a folder.
    """
    try:
        cache = user_cache_path("rnnlm", appauthor=False)
    except RuntimeError as error:  # as in a container whose user has no name
        log.warning("no locks share out GPUs and cores: %s", error)
        return None
    return cache / "leases" / socket.gethostname()


def _is_usable(folder: Path) -> bool:
    """Whether locks can be had in the folder, which is made; a line in the log says why not."""
    try:
        _make_own(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        log.warning("%s cannot hold the locks that share out GPUs and cores: %s", folder, reason)
        return False
    return True


def _make_own(folder: Path) -> None:
    """Make the folder, unless it is there, and see that it is this user's alone.

    Raises:
        OSError: it cannot be made, or is not.
    """
    if sys.platform == "win32":
        folder.mkdir(parents=True, exist_ok=True)
        return
    parent = next(parent for parent in folder.parents if parent.exists())
    if os.geteuid() == 0 and parent.stat().st_uid != 0:
        # As by sudo, which may leave HOME as it was: that user could never use the folder.
        raise OSError(f"{parent} belongs to another user")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise OSError("it is no folder")
    if found.st_uid != os.geteuid():
        raise OSError("it belongs to another user")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise OSError("others may write to it")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OSError("it cannot be written to")


@contextlib.contextmanager
def gpu_for_run(accelerator: str, runs_per_gpu: int) -> Iterator[int | None]:
    """The index of the GPU that a run with this `trainer.accelerator` is to use; None on a CPU."""
    if not uses_gpu(accelerator):
        yield None
        return
    with leased_gpu(visible_gpus(), runs_per_gpu, lease_folder()) as index:
        yield index


@contextlib.contextmanager
def leased_gpu(gpus: Sequence[str], runs_per_gpu: int, folder: Path | None) -> Iterator[int]:
    """Hold one of the GPUs, waiting until one is free.

    All GPUs get a first run before any gets a second. A GPU whose lock cannot be had is used
    without, where no other is free.

    Args:
        gpus: their identities.
        runs_per_gpu: how many runs may share one. Several processes take turns on a GPU, unless
            NVIDIA's Multi-Process Service is running (`nvidia-cuda-mps-control -d`, by whoever
            administers the machine), which lets them compute at the same time: small networks gain.
        folder: of the locks, the same for all that are not to collide. Where it cannot be had, all
            use the first GPU.

    Yields:
        The index of the GPU among those given.
    """
    if folder is None or not _is_usable(folder):
        log.warning("this run uses GPU 0, whatever else does")
        yield 0
        return
    has_said_so = False
    while True:
        unlockable = None
        for place in range(runs_per_gpu):
            for index, gpu in enumerate(gpus):
                with contextlib.ExitStack() as lock:
                    is_ours = _enter(lock, folder / f"gpu-{gpu}-{place}.lock")
                    if is_ours:
                        yield index
                        return
                if is_ours is None and unlockable is None:
                    unlockable = index
        if unlockable is not None:
            log.warning("this run uses GPU %d, whatever else does", unlockable)
            yield unlockable
            return
        if not has_said_so:
            has_said_so = True
            log.info("waiting for a GPU: other runs hold the locks gpu-*.lock in %s", folder)
        time.sleep(SECONDS_BETWEEN_TRIES)


@contextlib.contextmanager
def leased_cores(cores: Sequence[int], wanted: int, folder: Path | None) -> Iterator[int]:
    """Hold as many of the cores as are wanted and free, and go on with one where none is.

    The threads of a run wait for each other so impatiently that two runs of two threads each took,
    on two cores, thirty times as long as one after the other.

    Args:
        folder: of the locks, as for GPUs. Where it cannot be had, there is one thread.

    Yields:
        How many threads to compute with: the cores held, but one at least.
    """
    if folder is None or not _is_usable(folder):
        log.warning("this run computes with one thread, unless OMP_NUM_THREADS says how many")
        yield 1
        return
    with contextlib.ExitStack() as held:
        count = 0
        for core in cores:
            count += bool(_enter(held, folder / f"core-{core}.lock"))
            if count == wanted:
                break
        yield max(count, 1)


def _enter(stack: contextlib.ExitStack, path: Path) -> bool | None:
    """Hold the lock with the stack; False where another process does, None where nobody can."""
    try:
        return stack.enter_context(locked(path))
    except OSError as error:
        log.warning("the lock %s cannot be had: %s", path, error.strerror or error)
        return None
