"""GPUs, cores and memory of this machine."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from rnnlm.runtime import give_back_freed_memory

_STATUS, _CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")
# Parts of the RuntimeError that PyTorch's CPU allocator raises.
_ALLOCATOR_SAYS = ("can't allocate memory", "not enough memory")
# Parts of the RuntimeError that CUDA, its libraries or AMD's counterpart of it raise.
_GPU_SAYS = ("CUDA", "cuDNN", "HIP error")
# The environment variable that says which GPUs a process sees; how the names of slices begin in it.
VISIBLE_GPUS, SLICE = "CUDA_VISIBLE_DEVICES", "MIG-"


@dataclass(frozen=True)
class Gpu:
    """A GPU, or a slice of one: NVIDIA's Multi-Instance GPU (MIG) divides a GPU into slices."""

    # It is the same in every process, however the process numbers its devices.
    uuid: str
    # Empty and 0 if unknown; the memory is in bytes.
    name: str = ""
    memory: int = 0

    @property
    def is_slice(self) -> bool:
        """Tell whether this is a slice."""
        return self.uuid.startswith(SLICE)


def has_gpu() -> bool:
    """Tell whether there is a GPU of NVIDIA's or AMD's that can be used.

    This does not start CUDA: Lightning has set PYTORCH_NVML_BASED_CUDA_CHECK, so that PyTorch asks
    NVIDIA's management library.
    """
    # That library counts no slices. CUDA does, but where it has started, the choice is made.
    if os.environ.get(VISIBLE_GPUS, "").startswith(SLICE):
        return torch.version.cuda is not None
    return torch.cuda.is_available()


def visible_gpus() -> list[Gpu]:
    """Return the GPUs that `CUDA_VISIBLE_DEVICES` leaves, in PyTorch's order.

    This starts CUDA, except for slices that the variable names: of several, CUDA would show this
    process only the first (NVIDIA's MIG User Guide, "CUDA Device Enumeration").
    """
    names = [name.strip() for name in os.environ.get(VISIBLE_GPUS, "").split(",")]
    if names[0].startswith(SLICE):
        return [Gpu(name) for name in names]
    prefix = "GPU-" if torch.version.cuda else ""  # PyTorch leaves it out
    properties = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
    return [Gpu(f"{prefix}{p.uuid}", p.name, p.total_memory) for p in properties]


def use_gpu(gpus: Sequence[Gpu], index: int) -> int:
    """Choose one of the visible GPUs for this process, and return its index from then on."""
    if not gpus[index].is_slice:
        return index
    os.environ[VISIBLE_GPUS] = gpus[index].uuid
    return 0


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


def is_gpu_error(error: BaseException) -> bool:
    """Tell whether an error is one of a GPU, which another process on it may have caused."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(part in str(error) for part in _GPU_SAYS)


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error says that the machine or a GPU has no memory left."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    return isinstance(error, RuntimeError) and any(s in str(error) for s in _ALLOCATOR_SAYS)
