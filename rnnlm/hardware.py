"""GPUs, cores and memory of this machine."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from rnnlm.runtime import give_back_freed_memory

_STATUS, _CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")
# Parts of the RuntimeError that PyTorch's CPU allocator raises.
_ALLOCATOR_SAYS = ("can't allocate memory", "not enough memory")


def has_gpu() -> bool:
    """Tell whether there is a GPU of NVIDIA's or AMD's that can be used."""
    return torch.cuda.is_available()


def num_gpus() -> int:
    """Count the GPUs that `CUDA_VISIBLE_DEVICES` leaves."""
    return torch.cuda.device_count() if has_gpu() else 0


def visible_gpus() -> list[str]:
    """Return the UUIDs of the GPUs that `CUDA_VISIBLE_DEVICES` leaves, in PyTorch's order.

    A GPU has the same UUID in every process, however the process numbers its devices.
    """
    return [str(torch.cuda.get_device_properties(index).uuid) for index in range(num_gpus())]


def visible_cores() -> list[int]:
    """Return the numbers of the cores that this process may use."""
    if sys.platform == "linux":
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def requires_gpu(accelerator: str) -> bool:
    """Tell whether a run with this `trainer.accelerator` can train on a GPU only."""
    return accelerator in ("gpu", "cuda")


def uses_gpu(accelerator: str) -> bool:
    """Tell whether a run with this `trainer.accelerator` trains on a GPU of this machine."""
    return (accelerator == "auto" or requires_gpu(accelerator)) and has_gpu()


def device_name(device: torch.device) -> str:
    """Return the name of a GPU, or `cpu`."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


@contextlib.contextmanager
def float32_products(precision: str) -> Iterator[None]:
    """Multiply float32 matrices with this precision inside the context.

    Args:
        precision: `highest`, `high` or `medium`, as `torch.set_float32_matmul_precision` takes it.
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def reset_peak_memory(device: torch.device) -> None:
    """Forget the peak so far, which may be that of an earlier run in the same process."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    else:
        give_back_freed_memory()
        with contextlib.suppress(OSError):
            _CLEAR_REFS.write_text("5")


def peak_memory_mb(device: torch.device) -> float | None:
    """Return the most memory held since the reset, in MB of 10^6 bytes; None if unknown.

    Without /proc there is no reset: it is the peak since the process began.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    with contextlib.suppress(OSError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error says that the machine or a GPU has no memory left."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    return isinstance(error, RuntimeError) and any(s in str(error) for s in _ALLOCATOR_SAYS)
