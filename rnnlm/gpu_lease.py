"""One GPU for each run on a machine: taken by lock, not by number, so that no two collide."""

from __future__ import annotations

import contextlib
import getpass
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from filelock import FileLock, Timeout

SECONDS_BETWEEN_TRIES = 0.5


def visible_gpus() -> list[str]:
    """The identities of the GPUs that `CUDA_VISIBLE_DEVICES` leaves, in PyTorch's order.

    A GPU has the same identity in every process, however its devices are numbered.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return [str(torch.cuda.get_device_properties(index).uuid) for index in range(count)]


def uses_gpu(accelerator: str) -> bool:
    """Whether a run with this `trainer.accelerator` trains on a GPU of NVIDIA's or AMD's here."""
    return accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()


@contextlib.contextmanager
def gpu_for_run(accelerator: str, runs_per_gpu: int) -> Iterator[int | None]:
    """The index of the GPU that a run with this `trainer.accelerator` is to use; None on a CPU."""
    if not uses_gpu(accelerator):
        yield None
        return
    with leased(visible_gpus(), runs_per_gpu, lease_folder()) as index:
        yield index


def lease_folder() -> Path:
    """Where the locks of this user's runs on this machine are."""
    return Path(tempfile.gettempdir()) / f"rnnlm-gpus-{getpass.getuser()}"


@contextlib.contextmanager
def leased(gpus: Sequence[str], runs_per_gpu: int, folder: Path) -> Iterator[int]:
    """Hold one of the GPUs, waiting until one is free; a lock ends with its process at the latest.

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
                lock = FileLock(folder / f"{gpu}-{place}.lock")
                try:
                    lock.acquire(blocking=False)
                except Timeout:
                    continue
                try:
                    yield index
                finally:
                    lock.release()
                return
        time.sleep(SECONDS_BETWEEN_TRIES)
