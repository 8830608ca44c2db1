"""The command line of `run.py`: Hydra's, with errors in one line and meaningful exit statuses."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from hydra.types import TaskFunction
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from rnnlm.config import no_such_option, register_schemas
from rnnlm.options import OptionError
from rnnlm.sweep import all_completed, sweep

VERSION_BASE = "1.3"
COMPLETED_STATUS, FAILED_STATUS, USAGE_STATUS = 0, 1, 2
INTERRUPTED_STATUS, TERMINATED_STATUS = 128 + signal.SIGINT, 128 + signal.SIGTERM


def main(task: TaskFunction, config_folder: Path, config_name: str) -> int:
    """Run or sweep as the command line says.

    Returns:
        The exit status: 0 when every run completed, 1 when one failed, 2 when the command line
        cannot be carried out as it is, 130 after Ctrl-C and 143 after SIGTERM.
    """
    register_schemas()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _stop)
    arguments = get_args_parser().parse_intermixed_args()
    if not _wants_to_run(arguments):
        hydra.main(str(config_folder), config_name, VERSION_BASE)(task)()
        return COMPLETED_STATUS
    try:
        with hydra.initialize_config_dir(str(config_folder), "rnnlm", version_base=VERSION_BASE):
            loader = GlobalHydra.instance().config_loader()
            _check_overrides(arguments.overrides, loader, arguments.multirun)
            config_name = arguments.config_name or config_name
            runs = sweep(loader, config_name, arguments.overrides, task, arguments.multirun)
    except (OptionError, HydraException, OmegaConfBaseException) as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        print(in_one_line(error), file=sys.stderr)
        return USAGE_STATUS
    except OSError as error:
        print(f"{error.filename or 'output_dir'}: {error.strerror or error}", file=sys.stderr)
        return FAILED_STATUS
    except KeyboardInterrupt:
        print("interrupted; the same command goes on with what is left", file=sys.stderr)
        return INTERRUPTED_STATUS
    except SystemExit as stop:
        if stop.code != TERMINATED_STATUS:
            raise
        print("stopped by SIGTERM; the same command goes on with what is left", file=sys.stderr)
        return TERMINATED_STATUS
    return COMPLETED_STATUS if all_completed(runs) else FAILED_STATUS


def _stop(signal_number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signal_number)


def _wants_to_run(arguments: argparse.Namespace) -> bool:
    asks = ("help", "hydra_help", "cfg", "info", "shell_completion", "version")
    return not any(getattr(arguments, name, None) for name in asks)


def _check_overrides(overrides: list[str], loader: ConfigLoader, multirun: bool) -> None:
    """Refuse what Hydra would take but nobody can mean.

    Several values of an option are a sweep only where one was asked for, as Hydra has it; where a
    run is put is not Hydra's to say; and a group takes one of its choices.
    """
    for override in OverridesParser.create(config_loader=loader).parse_overrides(overrides):
        key = override.get_key_element().lstrip("+~")
        if override.is_sweep_override() and not multirun:
            several = override.get_value_string()
            raise OptionError(key, f"{several} is several values, add -m to sweep them")
        if key.startswith(("hydra.sweep.", "hydra.run.", "hydra.job.")):
            raise OptionError(key, "a run's folder follows from its options, see output_dir")
        choices = [] if key == "experiment" else loader.get_group_options(key)
        if choices and override.value() is None and not override.is_delete():
            raise OptionError(key, f"null is not one of {', '.join(choices)}")


def in_one_line(error: Exception) -> str:
    """What is wrong with a command line, without the internals of Hydra and OmegaConf."""
    cause = error.__cause__
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, choice = error.missing_cfg_file.rpartition("/")
        if choice == "submitit_slurm":
            return f"{group}: slurm needs the extra of that name, pip install -e '.[slurm]'"
        choices = ", ".join(error.options or [])
        return f"{group}: {choice!r} is not one of {choices}" if group else str(error)
    if isinstance(error, OverrideParseException):
        return f"{error.override}: not an override, it takes option=value"
    if isinstance(cause, ConfigKeyError | ConfigAttributeError) and cause.full_key:
        return str(no_such_option(cause.full_key))
    reason = cause if isinstance(cause, OmegaConfBaseException) else error
    option = getattr(reason, "full_key", None)
    first_line = str(reason).splitlines()[0].rstrip(".")
    return f"{option}: {first_line}" if option else first_line
