"""Names of the files in a run's folder."""

from __future__ import annotations

from pathlib import Path

RECORD, SCALARS = "result.json", "scalars.csv"
LOG, LOCK = "run.log", ".lock"
PROGRESS, SAMPLES = "progress.json", "samples.txt"
# Files that loggers keep there.
TENSORBOARD_OPTIONS, MLFLOW_RUN_ID, WANDB = "hparams.yaml", "mlflow_run_id", "wandb"
# Folders in it: Hydra's, the checkpoints', and that of the adaptation variants' records.
HYDRA, CHECKPOINTS, ADAPTATION = ".hydra", "checkpoints", "adaptation"


def best_checkpoint(folder: Path) -> Path:
    """Locate the checkpoint that did best on validation, in a run's folder."""
    return folder / CHECKPOINTS / "best.ckpt"


def last_checkpoint(folder: Path) -> Path:
    """Locate the checkpoint that an interrupted run goes on from, in a run's folder."""
    return folder / CHECKPOINTS / "last.ckpt"
