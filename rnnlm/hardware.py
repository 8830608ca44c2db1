"""The GPUs and cores of this machine, and how much memory a run has held."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path

import torch

from rnnlm.runtime import give_back_freed_memory

_STATUS, _CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")
# What PyTorch's CPU allocator says in the RuntimeError that it raises.
_ALLOCATOR_SAYS = ("can't allocate memory", "not enough memory")


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


def device_name(device: torch.device) -> str:
    """`cpu`, or the name of the GPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def reset_peak_memory(device: torch.device) -> None:
    """Start measuring anew, so that a run is not charged for the one before in the same process."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    else:
        give_back_freed_memory()
        with contextlib.suppress(OSError):
            _CLEAR_REFS.write_text("5")


def peak_memory_mb(device: torch.device) -> float | None:
    """The most memory held since the reset, in MB of 10^6 bytes; None where it cannot be told."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass
    return _peak_of_process_mb()


def _peak_of_process_mb() -> float | None:
    """Where there is no /proc: the peak since the process began, without a reset."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there is no memory left, of the machine's or of a GPU's."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    return isinstance(error, RuntimeError) and any(s in str(error) for s in _ALLOCATOR_SAYS)
