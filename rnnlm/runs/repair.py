"""Make a run's folder usable again after a process was killed, or something else was put there."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from rnnlm.files import run_files as names
from rnnlm.files.atomic_write import discard, remove_leftovers

# Files that a run opens or writes by name. Checkpoints are not among them: the run's record says
# what is wrong with one (rnnlm/training/last_checkpoint.py).
FILES = (
    *(names.LOCK, names.LOG, names.RECORD, names.SCALARS, names.SAMPLES, names.PROGRESS),
    *(names.TENSORBOARD_OPTIONS, names.MLFLOW_RUN_ID),
    *(f"{names.HYDRA}/{name}.yaml" for name in ("config", "hydra", "overrides")),
)
FOLDERS = (names.HYDRA, names.CHECKPOINTS, names.ADAPTATION, names.WANDB)


def repair(folder: Path) -> list[str]:
    """Remove a file where the run needs a folder, and anything but a file where it needs a file.

    Files and folders of the run that their owner may not use become usable.

    Returns:
        A line for each thing that has been removed.

    Raises:
        OSError: it cannot be removed.
    """
    messages = []
    for kind, is_right, needed in (
        ("a folder", Path.is_dir, FOLDERS),
        ("a file", Path.is_file, FILES),
    ):
        for path in (folder / name for name in needed):
            if os.path.lexists(path) and not is_right(path):
                discard(path)
                messages.append(f"{path} is removed: {kind} belongs there")
            elif path.exists():
                _make_usable(path)
    return messages


def remove_leftovers_of_run(folder: Path, include_live_processes: bool = False) -> None:
    """Remove the temporary files of ended processes from a run's folder.

    Args:
        include_live_processes: also remove the temporary files of live processes; only the holder
            of the run's lock may ask for this.
    """
    for place in (folder, folder / names.CHECKPOINTS, *folder.glob(f"{names.ADAPTATION}/*")):
        remove_leftovers(place, include_live_processes)


def _make_usable(path: Path) -> None:
    needed = os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)
    if not os.access(path, needed):
        bits = stat.S_IRWXU if path.is_dir() else stat.S_IRUSR | stat.S_IWUSR
        # Another user's file cannot be changed so, but may be replaced if its folder is writable.
        with contextlib.suppress(OSError):
            path.chmod(path.stat().st_mode | bits)
