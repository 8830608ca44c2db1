"""Names of the files in a run's folder."""

from __future__ import annotations

from pathlib import Path

RECORD, SCALARS = "result.json", "scalars.csv"
LOG, LOCK = "run.log", ".lock"
PROGRESS, SAMPLES = "progress.json", "samples.txt"
# Files of the loggers.
TENSORBOARD_OPTIONS, MLFLOW_RUN_ID, WANDB = "hparams.yaml", "mlflow_run_id", "wandb"
# Folders: Hydra's, the checkpoints', and the one of the adaptation variants' records.
HYDRA, CHECKPOINTS, ADAPTATION = ".hydra", "checkpoints", "adaptation"


def best_checkpoint(folder: Path) -> Path:
    """Return the path of a run's checkpoint with the lowest validation loss."""
    return folder / CHECKPOINTS / "best.ckpt"


def last_checkpoint(folder: Path) -> Path:
    """Return the path of the checkpoint that an interrupted run goes on from."""
    return folder / CHECKPOINTS / "last.ckpt"
