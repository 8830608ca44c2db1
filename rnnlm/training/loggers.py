"""The loggers of `conf/logger/`, which are opened and closed with a run.

TensorBoard and `scalars.csv` need only the run's folder. Weights & Biases and MLflow are extras.
They stay on this machine, and a resumed run goes on in the W&B or MLflow run that it began. Those
two show epochs that were done again after a crash twice, at the same steps.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from filelock import FileLock
from hydra.utils import get_object, instantiate
from pytorch_lightning.loggers import Logger, MLFlowLogger, WandbLogger

from rnnlm.files.atomic_write import write_text
from rnnlm.files.run_files import MLFLOW_RUN_ID, WANDB
from rnnlm.options import missing_extra
from rnnlm.plugin_options import TARGET, check_plugin

# The modules that each logger needs. The extra with the logger's name installs them.
EXTRAS = {"wandb": ["wandb"], "mlflow": ["mlflow", "sqlalchemy", "alembic"]}
# Environment variables that stop W&B and MLflow from printing, prompting and sending usage data.
# A variable that the user has set stays.
QUIET_WANDB = {"WANDB_SILENT": "true", "WANDB_CONSOLE": "off", "WANDB_ERROR_REPORTING": "false"}
QUIET_MLFLOW = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_LOGGING_LEVEL": "WARNING"}

# For the class of a logger: the function to which its constructor passes options that it does not
# know, and the options that follow from the run's folder, besides `save_dir`.
CLASSES: dict[Any, tuple[str | None, tuple[str, ...]]] = {
    "pytorch_lightning.loggers.TensorBoardLogger": (
        "torch.utils.tensorboard.SummaryWriter.__init__",
        (),
    ),
    "rnnlm.training.loggers.Wandb": ("wandb.init", ("name", "id", "dir")),
    "rnnlm.training.loggers.MLFlow": (None, ("run_name", "run_id")),
}

MLFLOW_LOCK_NAME = ".mlflow.lock"


def check_loggers(options: Mapping[str, Any]) -> None:
    """Check that what the loggers need is installed, and that each one takes its options.

    Args:
        options: the options of each logger, by its name.

    Raises:
        OptionError: names the extra to install, or the option that is wrong.
    """
    for name, logger in options.items():
        if not all(_is_installed(module) for module in EXTRAS.get(name, [])):
            raise missing_extra("logger", name)
        target = logger.get(TARGET) if isinstance(logger, Mapping) else None
        forwarded_to, given = CLASSES.get(target, (None, ()))
        check_plugin(
            logger,
            f"logger.{name}",
            Logger,
            "logger",
            {"save_dir", *given},
            get_object(forwarded_to) if forwarded_to else None,
        )


def _is_installed(module: str) -> bool:
    spec = find_spec(module)
    # A folder of that name in the current directory is a package too, but has no origin.
    return spec is not None and spec.origin is not None


@contextlib.contextmanager
def open_loggers(options: Mapping[str, Any], folder: Path) -> Iterator[list[Logger]]:
    """Open the loggers of a run; at the end tell them whether it failed.

    Args:
        options: the options of each logger, by its name.
    """
    loggers: list[Logger] = [instantiate(logger, save_dir=folder) for logger in options.values()]
    status = "failed"
    try:
        yield loggers
        status = "success"
    finally:
        for logger in loggers:
            logger.finalize(status)
            if isinstance(logger, Wandb):
                logger.finish(status)


class Wandb(WandbLogger):
    """Logs to a W&B run in the run's folder, named by the folder's path below `output_dir`.

    A resumed run writes another part with the same id, which `wandb sync` joins to the first.
    """

    def __init__(self, save_dir: str | Path, output_dir: str | Path, **options: Any) -> None:
        for name, value in QUIET_WANDB.items():
            os.environ.setdefault(name, value)
        begun = next(Path(save_dir, WANDB).glob("*run-*-*"), None)
        if begun is not None:
            options["id"] = begun.name.rpartition("-")[2]
        super().__init__(name=_name(save_dir, output_dir), save_dir=save_dir, **options)
        # Lightning always passes it, and wandb warns about it.
        self._wandb_init.pop("anonymous", None)

    def finish(self, status: str) -> None:
        """End the W&B run. Lightning calls `finalize` after every loop, which is too early."""
        if self._experiment is not None:
            self._experiment.finish(exit_code=0 if status == "success" else 1)
            self._experiment = None


class MLFlow(MLFlowLogger):
    """Logs to an MLflow run, named by the path of the run's folder below `output_dir`.

    The folder keeps its id, for when the run resumes. Several processes may share the store:
    SQLite has one writer at a time, and the others wait.
    """

    def __init__(self, save_dir: str | Path, output_dir: str | Path, **options: Any) -> None:
        for name, value in QUIET_MLFLOW.items():
            os.environ.setdefault(name, value)
        # Importing takes a second: do it before taking the lock.
        import_module("mlflow.store.tracking.sqlalchemy_store")
        kept = Path(save_dir, MLFLOW_RUN_ID)
        # One process makes the store's tables and the experiment; the others find them.
        with FileLock(Path(output_dir, MLFLOW_LOCK_NAME)):
            super().__init__(run_name=_name(save_dir, output_dir), **options)
            begun = _run_id(kept)
            if begun is not None and self._has_run(begun):
                self._run_id = begun
                self._mlflow_client.update_run(self._run_id, status="RUNNING")
            write_text(kept, str(self.run_id))

    def _has_run(self, run_id: str) -> bool:
        """Tell whether the store, which may be another one now, has the run, not deleted."""
        from mlflow.exceptions import MlflowException

        try:
            return bool(self._mlflow_client.get_run(run_id).info.lifecycle_stage == "active")
        except MlflowException:
            return False


def _run_id(path: Path) -> str | None:
    """Return the id of the MLflow run that this run began; None without a sound file."""
    try:
        found = re.fullmatch(r"[0-9a-f]{32}", path.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError):
        return None
    return found and found.group()


def _name(folder: str | Path, output_dir: str | Path) -> str:
    """Return the folder's path below `output_dir`, by which TensorBoard too names the run."""
    return Path(folder).resolve().relative_to(Path(output_dir).resolve()).as_posix()
