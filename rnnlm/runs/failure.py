"""The error of a run in one line, with advice where there is any."""

from __future__ import annotations

import errno

from rnnlm.hardware import is_gpu_error, is_out_of_memory
from rnnlm.training.checkpoint_file import CheckpointError
from rnnlm.training.divergence import DivergedError


def reason(error: BaseException) -> str:
    """Describe an exception in one line: what it means, or else its type and its first line."""
    first_line = next(iter(str(error).splitlines()), "")
    if is_out_of_memory(error):
        return (
            f"out of memory ({first_line.rstrip('. ') or type(error).__name__}); a smaller "
            "data.batch_size, data.seq_len or model.hidden_size needs less"
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        disk = "the disk" if error.filename is None else f"the disk of {error.filename}"
        what = "is full" if error.errno == errno.ENOSPC else "has no space left for this user"
        return f"{disk} {what}; with space on it, the same command goes on from last.ckpt"
    if isinstance(error, CheckpointError | DivergedError):
        return first_line
    return f"{type(error).__name__}: {first_line}"


def may_be_a_neighbours(error: BaseException, runs_per_gpu: int | None) -> bool:
    """Tell whether another run on the same GPU may have caused a run's error.

    Args:
        runs_per_gpu: the number of runs that may share the GPU; None if it is not shared.
    """
    return runs_per_gpu is not None and runs_per_gpu > 1 and is_gpu_error(error)
