"""Why a run has failed, in one line that says what can be done about it."""

from __future__ import annotations

import errno

from rnnlm.hardware import is_out_of_memory
from rnnlm.training.checkpoint_file import CheckpointError
from rnnlm.training.divergence import DivergedError


def reason(error: BaseException) -> str:
    """The first line of an exception, after its kind, or what it means where that is known."""
    first_line = next(iter(str(error).splitlines()), "")
    if is_out_of_memory(error):
        return (
            f"out of memory ({first_line.rstrip('. ') or type(error).__name__}); a smaller "
            "data.batch_size, data.seq_len or model.hidden_size needs less"
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        disk = "the disk" if error.filename is None else f"the disk of {error.filename}"
        what = "is full" if error.errno == errno.ENOSPC else "has no room left for this user"
        return f"{disk} {what}; with room on it, the same command goes on from last.ckpt"
    if isinstance(error, CheckpointError | DivergedError):
        return first_line
    return f"{type(error).__name__}: {first_line}"
