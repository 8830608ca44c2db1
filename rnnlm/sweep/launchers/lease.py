"""Leases: locks that divide the GPUs and cores of a machine among the runs on it.

Runs of different sweeps share the locks. A lease ends at the latest when its process ends. If locks
do not work, a run uses the first GPU or one thread, without a lease.
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
from rnnlm.hardware import Gpu, use_gpu, uses_gpu, visible_gpus

SECONDS_BETWEEN_TRIES = 0.5
_NOT_LEASED = "this run uses GPU %d, even if another run uses it too"

log = logging.getLogger(__name__)


def lease_folder() -> Path | None:
    """Make the folder of this user's locks; None, with a line in the log, if that is impossible.

    Several machines may share a home, but not their cores and GPUs: each machine has a folder.
    """
    try:
        folder = user_cache_path("rnnlm", appauthor=False) / "leases" / socket.gethostname()
        _make_own(folder)
    except (OSError, RuntimeError) as error:  # such as in a container whose user has no name
        log.warning("GPUs and cores cannot be shared between runs by locks: %s", error)
        return None
    return folder


def _make_own(folder: Path) -> None:
    """Make a folder, if there is none, and raise OSError if others could write to it."""
    if sys.platform == "win32":
        folder.mkdir(parents=True, exist_ok=True)
        return
    parent = next(parent for parent in folder.parents if parent.exists())
    if os.geteuid() == 0 and parent.stat().st_uid != 0:
        # Under sudo, HOME may be another user's, who could then not use the folder.
        raise OSError(f"{parent} belongs to another user")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise OSError(f"{folder} is no folder")
    if found.st_uid != os.geteuid():
        raise OSError(f"{folder} belongs to another user")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise OSError(f"others may write to {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OSError(f"{folder} cannot be written to")


@contextlib.contextmanager
def gpu_for_run(accelerator: str, runs_per_gpu: int | None) -> Iterator[int | None]:
    """Lease a GPU for a run with this `trainer.accelerator`; gives its index, or None for a CPU."""
    if not uses_gpu(accelerator):
        yield None
        return
    gpus = visible_gpus()
    with leased_gpu(gpus, runs_per_gpu or 1, lease_folder()) as index:
        yield use_gpu(gpus, index)


@contextlib.contextmanager
def leased_gpu(gpus: Sequence[Gpu], runs_per_gpu: int, folder: Path | None) -> Iterator[int]:
    """Lease one of the GPUs; wait until one is free.

    Every GPU gets a first run before any gets a second. If none is free, a GPU whose lock does
    not work is used without a lease.

    Args:
        runs_per_gpu: the number of runs that may share a GPU.
        folder: the folder of the locks; None makes all runs use the first GPU.

    Yields:
        The index of the GPU in `gpus`.
    """
    if folder is None:
        log.warning(_NOT_LEASED, 0)
        yield 0
        return
    has_said_so = False
    while True:
        gpu_without_lock = None
        for place in range(runs_per_gpu):
            for index, gpu in enumerate(gpus):
                with contextlib.ExitStack() as lock:
                    is_ours = _enter(lock, folder / f"gpu-{gpu.uuid}-{place}.lock")
                    if is_ours:
                        yield index
                        return
                if is_ours is None and gpu_without_lock is None:
                    gpu_without_lock = index
        if gpu_without_lock is not None:
            log.warning(_NOT_LEASED, gpu_without_lock)
            yield gpu_without_lock
            return
        if not has_said_so:
            has_said_so = True
            log.info("waiting for a GPU: other runs hold the locks gpu-*.lock in %s", folder)
        time.sleep(SECONDS_BETWEEN_TRIES)


@contextlib.contextmanager
def leased_cores(cores: Sequence[int], wanted: int, folder: Path | None) -> Iterator[int]:
    """Lease as many of the cores as are wanted and free.

    Threads that outnumber the cores wait busily for each other: on two cores, two runs of two
    threads each took thirty times as long as one after the other.

    Args:
        folder: the folder of the locks; None makes the run use one thread.

    Yields:
        The number of threads to compute with: the leased cores, but at least 1.
    """
    if folder is None:
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
    """Hold a lock with the stack; False if another process holds it, None if it is unusable."""
    try:
        return stack.enter_context(locked(path))
    except OSError as error:
        log.warning("the lock %s cannot be had: %s", path, error.strerror or error)
        return None
