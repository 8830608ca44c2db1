"""What a machine has few of, GPUs and cores, divided among the runs on it.

By lock and not by number, so that no two runs collide, whichever sweeps they belong to; a lock ends
with the process that holds it at the latest.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from rnnlm.lock import locked

SECONDS_BETWEEN_TRIES = 0.5


def lease_folder() -> Path:
    """Where the locks of this user's runs on this machine are."""
    user = os.getuid() if sys.platform != "win32" else getpass.getuser()
    return Path(tempfile.gettempdir()) / f"rnnlm-leases-{user}"


def visible_gpus() -> list[str]:
    """The identities of the GPUs that `CUDA_VISIBLE_DEVICES` leaves, in PyTorch's order.

    A GPU has the same identity in every process, however its devices are numbered.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return [str(torch.cuda.get_device_properties(index).uuid) for index in range(count)]


def visible_cores() -> list[int]:
    """The cores that this process may use."""
    if sys.platform == "linux":
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def uses_gpu(accelerator: str) -> bool:
    """Whether a run with this `trainer.accelerator` trains on a GPU of NVIDIA's or AMD's here."""
    return accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()


@contextlib.contextmanager
def gpu_for_run(accelerator: str, runs_per_gpu: int) -> Iterator[int | None]:
    """The index of the GPU that a run with this `trainer.accelerator` is to use; None on a CPU."""
    if not uses_gpu(accelerator):
        yield None
        return
    with leased_gpu(visible_gpus(), runs_per_gpu, lease_folder()) as index:
        yield index


@contextlib.contextmanager
def leased_gpu(gpus: Sequence[str], runs_per_gpu: int, folder: Path) -> Iterator[int]:
    """Hold one of the GPUs, waiting until one is free.

    All GPUs get a first run before any gets a second.

    Args:
        gpus: their identities.
        runs_per_gpu: how many runs may share one. Several processes take turns on a GPU, unless
            NVIDIA's Multi-Process Service is running (`nvidia-cuda-mps-control -d`, by whoever
            administers the machine), which lets them compute at the same time: small networks gain.
        folder: of the locks, the same for all that are not to collide.

    Yields:
        The index of the GPU among those given.
    """
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        for place in range(runs_per_gpu):
            for index, gpu in enumerate(gpus):
                with locked(folder / f"gpu-{gpu}-{place}.lock") as is_ours:
                    if is_ours:
                        yield index
                        return
        time.sleep(SECONDS_BETWEEN_TRIES)


@contextlib.contextmanager
def leased_cores(cores: Sequence[int], wanted: int, folder: Path) -> Iterator[int]:
    """Hold as many of the cores as are wanted and free, and go on with one where none is.

    The threads of a run wait for each other so impatiently that two runs of two threads each took,
    on two cores, thirty times as long as one after the other.

    Yields:
        How many threads to compute with: the cores held, but one at least.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as held:
        count = 0
        for core in cores:
            count += held.enter_context(locked(folder / f"core-{core}.lock"))
            if count == wanted:
                break
        yield max(count, 1)
