"""Making a run's folder usable again: what a killed process has left, what stands in the way."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from rnnlm.files.atomic_write import discard, remove_leftovers
from rnnlm.files.run_files import (
    ADAPTATION,
    CHECKPOINTS,
    HYDRA,
    LOCK,
    LOG,
    MLFLOW_RUN_ID,
    PROGRESS,
    RECORD,
    SAMPLES,
    SCALARS,
    TENSORBOARD_OPTIONS,
    WANDB,
)

# What a run opens or writes by name. Its checkpoints are not among them: what is wrong with one is
# said in the run's record (rnnlm/training/resume.py).
FILES = (
    *(LOCK, LOG, RECORD, SCALARS, SAMPLES, PROGRESS, TENSORBOARD_OPTIONS, MLFLOW_RUN_ID),
    *(f"{HYDRA}/{name}.yaml" for name in ("config", "hydra", "overrides")),
)
FOLDERS = (HYDRA, CHECKPOINTS, ADAPTATION, WANDB)


def repair(folder: Path) -> list[str]:
    """Remove what stands where a run keeps a file or a folder and is another thing.

    What is there but may not be used by its owner becomes usable.

    Returns:
        What has been removed, a line each.

    Raises:
        OSError: it cannot be removed.
    """
    said = []
    for names, is_right in ((FOLDERS, Path.is_dir), (FILES, Path.is_file)):
        for name in names:
            path = folder / name
            if os.path.lexists(path) and not is_right(path):
                discard(path)
                kind = "a folder" if is_right is Path.is_dir else "a file"
                said.append(f"{path} is removed: {kind} belongs there")
            elif path.exists():
                _make_usable(path)
    return said


def remove_leftovers_of_run(folder: Path, from_live_processes: bool = False) -> None:
    """Remove the temporary files that killed processes have left of a run.

    Args:
        from_live_processes: as in `remove_leftovers`, for a process that holds the run's lock.
    """
    for place in (folder, folder / CHECKPOINTS, *folder.glob(f"{ADAPTATION}/*")):
        remove_leftovers(place, from_live_processes)


def _make_usable(path: Path) -> None:
    wanted = os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)
    if not os.access(path, wanted):
        bits = stat.S_IRWXU if path.is_dir() else stat.S_IRUSR | stat.S_IWUSR
        # Another user's may be writable all the same, by way of its folder.
        with contextlib.suppress(OSError):
            path.chmod(path.stat().st_mode | bits)
