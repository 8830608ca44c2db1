"""Where a run's metrics and options go: the loggers of `conf/logger/`, opened and closed with it.

TensorBoard's and `scalars.csv` need no more than the run's folder. Weights & Biases and MLflow are
extras that stay on this machine, and a run that goes on does so in the run of theirs that it began.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from filelock import FileLock
from hydra.utils import instantiate
from pytorch_lightning.loggers import Logger, MLFlowLogger, WandbLogger

from rnnlm.files.atomic_write import write_text
from rnnlm.files.run_files import MLFLOW_RUN_ID, WANDB
from rnnlm.options import OptionError
from rnnlm.plugin_options import TARGET, check_plugin

# The modules that the extra of a logger's name brings.
EXTRAS = {"wandb": ["wandb"], "mlflow": ["mlflow", "sqlalchemy", "alembic"]}
# Of what these two would print, ask or send home; what is set already stays.
QUIET_WANDB = {"WANDB_SILENT": "true", "WANDB_CONSOLE": "off", "WANDB_ERROR_REPORTING": "false"}
QUIET_MLFLOW = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_LOGGING_LEVEL": "WARNING"}

MLFLOW_LOCK_NAME = ".mlflow.lock"


def check_loggers(options: Mapping[str, Any]) -> None:
    """See that what the loggers need is installed, and that each takes the options it is given.

    Args:
        options: of each logger, by its name.

    Raises:
        OptionError: names the extra to install, or the option that is wrong.
    """
    for name, of_logger in options.items():
        if not all(_is_installed(module) for module in EXTRAS.get(name, [])):
            raise OptionError(
                "logger", f"{name} needs the extra of that name, pip install -e '.[{name}]'"
            )
        target = of_logger.get(TARGET) if isinstance(of_logger, Mapping) else None
        forwarded_to = _FORWARDED_TO.get(target, lambda: None)()
        given = {"save_dir", *_GIVEN.get(target, ())}
        check_plugin(of_logger, f"logger.{name}", Logger, "logger", given, forwarded_to)


def _summary_writer() -> Any:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter.__init__


def _wandb_init() -> Any:
    return import_module("wandb").init


# What a logger's constructor passes on the options to that it does not know.
_FORWARDED_TO: dict[Any, Callable[[], Any]] = {
    "pytorch_lightning.loggers.TensorBoardLogger": _summary_writer,
    "rnnlm.training.loggers.Wandb": _wandb_init,
}
# What follows from the run's folder, besides the folder.
_GIVEN: dict[Any, Sequence[str]] = {
    "rnnlm.training.loggers.Wandb": ("name", "id", "dir"),
    "rnnlm.training.loggers.MLFlow": ("run_name", "run_id"),
}


def _is_installed(module: str) -> bool:
    spec = find_spec(module)
    # A folder of the same name in the current one is a package too, but without an origin.
    return spec is not None and spec.origin is not None


@contextlib.contextmanager
def open_loggers(options: Mapping[str, Any], folder: Path) -> Iterator[list[Logger]]:
    """The loggers of a run, which hear at the end how it went.

    Args:
        options: of each logger, by its name.
    """
    loggers: list[Logger] = [instantiate(logger, save_dir=folder) for logger in options.values()]
    try:
        yield loggers
    except BaseException:
        _close(loggers, "failed")
        raise
    _close(loggers, "success")


def _close(loggers: list[Logger], status: str) -> None:
    for logger in loggers:
        logger.finalize(status)
        if isinstance(logger, Wandb):
            logger.finish(status)


class Wandb(WandbLogger):
    """Logs to a W&B run in the run's folder, which is named by its path below `output_dir`.

    A run that goes on is another part of the same id, which `wandb sync` joins to the first.
    """

    def __init__(self, save_dir: str | Path, output_dir: str | Path, **options: Any) -> None:
        for name, value in QUIET_WANDB.items():
            os.environ.setdefault(name, value)
        begun = next(Path(save_dir, WANDB).glob("*run-*-*"), None)
        if begun is not None:
            options["id"] = begun.name.rpartition("-")[2]
        super().__init__(name=_name(save_dir, output_dir), save_dir=save_dir, **options)
        # Lightning gives it always, and wandb warns of it.
        self._wandb_init.pop("anonymous", None)

    def finish(self, status: str) -> None:
        """End the W&B run, which `finalize` does not: Lightning calls that after every loop."""
        if self._experiment is not None:
            self._experiment.finish(exit_code=0 if status == "success" else 1)
            self._experiment = None


class MLFlow(MLFlowLogger):
    """Logs to an MLflow run, named by the path of the run's folder below `output_dir`.

    Its id is kept in the folder, for when the run goes on. The store may be shared with other
    processes: SQLite's has one writer at a time, and the others wait.
    """

    def __init__(self, save_dir: str | Path, output_dir: str | Path, **options: Any) -> None:
        for name, value in QUIET_MLFLOW.items():
            os.environ.setdefault(name, value)
        # A second that nobody is to wait for with the lock held.
        import_module("mlflow.store.tracking.sqlalchemy_store")
        kept = Path(save_dir, MLFLOW_RUN_ID)
        # One process makes the store's tables and the experiment, and the others find them.
        with FileLock(Path(output_dir, MLFLOW_LOCK_NAME)):
            super().__init__(run_name=_name(save_dir, output_dir), **options)
            begun = _run_id(kept)
            if begun is not None and self._has_run(begun):
                self._run_id = begun
                self._mlflow_client.update_run(self._run_id, status="RUNNING")
            write_text(kept, str(self.run_id))

    def _has_run(self, run_id: str) -> bool:
        """Whether a run is in the store, which may be another by now, and has not been deleted."""
        from mlflow.exceptions import MlflowException

        try:
            return bool(self._mlflow_client.get_run(run_id).info.lifecycle_stage == "active")
        except MlflowException:
            return False


def _run_id(path: Path) -> str | None:
    """The id of the MLflow run that a run has begun, if it has one and its file is sound."""
    try:
        found = re.fullmatch(r"[0-9a-f]{32}", path.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError):
        return None
    return found and found.group()


def _name(folder: str | Path, output_dir: str | Path) -> str:
    """What TensorBoard calls the run."""
    return Path(folder).resolve().relative_to(Path(output_dir).resolve()).as_posix()
