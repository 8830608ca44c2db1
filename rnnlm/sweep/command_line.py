"""Command line of `run.py`: Hydra's, with errors in one line and meaningful exit statuses."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path
from typing import NoReturn

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import (
    HydraException,
    InstantiationException,
    MissingConfigException,
    OverrideParseException,
)
from hydra.types import RunMode, TaskFunction
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from rnnlm.config import no_such_option, option_meant_by, register_schemas
from rnnlm.messages.legible import escaped, first_line, in_message
from rnnlm.options import OptionError
from rnnlm.signals.ctrl_c import interruption
from rnnlm.signals.exit_status import TERMINATED_STATUS
from rnnlm.sweep.hydra_internals import HydraApp, argument_parser, searching_first_in
from rnnlm.sweep.hydra_quoting import NO_OVERRIDE
from rnnlm.sweep.launchers.options import register_launcher_options
from rnnlm.sweep.overrides import read_overrides
from rnnlm.sweep.sweep import sweep

VERSION_BASE = "1.3"
COMPLETED_STATUS, FAILED_STATUS, USAGE_STATUS = 0, 1, 2
_COULD_NOT_OVERRIDE = re.compile(r"Could not override '([^'@]+)'")
# Beginnings of messages of Hydra and OmegaConf, and the same in this project's words.
_IN_PLAIN_WORDS = {
    "Could not append to config. An item is already at '(?P<option>[^']+)'": (
        "the option exists, set it without the +"
    ),
    "Could not delete from config. '(?P<option>[^']+)' does not exist": "no such option",
    ".* is not a ListConfig": "it takes a list, which is typed [one,two]",
    "Cannot merge DictConfig with ListConfig": "it takes a list, which is typed [one,two]",
    "(no viable|missing|extraneous|mismatched|token recognition)": (
        "the part between ${ and } cannot be read"
    ),
    "Could not override '(?P<option>[^']+@[^']+)'": "it is not a group of choices",
}
# A message repeats values, which may be of any length.
_LONGEST_LINE = 400


def main(task: TaskFunction, config_folder: Path, config_name: str) -> int:
    """Run or sweep as the command line says.

    Returns:
        The exit status: 0 if every run has completed, 1 if one has failed, 2 if the command line
        cannot be carried out, 130 after Ctrl-C and 143 after SIGTERM.
    """
    return interruption.run(lambda: _main(task, config_folder, config_name))


def _main(task: TaskFunction, config_folder: Path, config_name: str) -> int:
    register_schemas()
    register_launcher_options()
    try:
        parser = argument_parser()
        parser.error = _refuse  # type: ignore[method-assign]
        arguments = parser.parse_intermixed_args()
        _check_flags(arguments)
        arguments.config_name = arguments.config_name or config_name
        with hydra.initialize_config_dir(str(config_folder), "rnnlm", version_base=VERSION_BASE):
            return _print_or_sweep(arguments, parser, task)
    except (OptionError, HydraException, OmegaConfBaseException) as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        print(escaped(in_one_line(error)), file=sys.stderr)
        return USAGE_STATUS
    except OSError as error:
        print(f"{error.filename or 'output_dir'}: {error.strerror or error}", file=sys.stderr)
        return FAILED_STATUS


def _print_or_sweep(
    arguments: argparse.Namespace, parser: argparse.ArgumentParser, task: TaskFunction
) -> int:
    app = GlobalHydra.instance().hydra
    assert app is not None
    if arguments.config_dir:
        app.config_loader = searching_first_in(Path(arguments.config_dir), app.config_loader)
    if arguments.shell_completion:
        return _complete(app, arguments)
    loader, multirun = app.config_loader, arguments.multirun
    arguments.overrides = read_overrides(arguments.overrides, loader, multirun)
    if arguments.help or arguments.hydra_help or arguments.cfg or arguments.info:
        return _print_information(app, arguments, parser)
    completed = sweep(loader, arguments.config_name, arguments.overrides, task, multirun)
    return COMPLETED_STATUS if completed else FAILED_STATUS


def _refuse(message: str) -> NoReturn:
    flag = message.removeprefix("unrecognized arguments: ").split()[0].partition("=")[0]
    meant = option_meant_by(flag.strip("-")) if flag.startswith("-") else None
    if meant:
        message += f"; did you mean {meant}?"
    raise OptionError("run.py", f"{message}; options are typed option=value, see run.py --help")


def _check_flags(arguments: argparse.Namespace) -> None:
    """Refuse flags of Hydra that have no meaning here, or not together."""
    if arguments.config_path:
        raise OptionError("--config-path", "conf/ is always read, --config-dir adds a folder to it")
    if arguments.experimental_rerun:
        raise OptionError("--experimental-rerun", "it is not needed, type the same command again")
    if arguments.config_dir and not Path(arguments.config_dir).is_dir():
        raise OptionError("--config-dir", f"there is no folder {arguments.config_dir}")
    if arguments.resolve and not (arguments.cfg or arguments.help):
        raise OptionError("--resolve", "it goes with --cfg or --help")
    if arguments.package and not arguments.cfg:
        raise OptionError("--package", "it goes with --cfg")
    flags = ("run", "multirun", "cfg", "info", "shell_completion")
    given = [f"--{name.replace('_', '-')}" for name in flags if getattr(arguments, name)]
    if len(given) > 1:
        raise OptionError(given[0], f"it cannot be given with {' and '.join(given[1:])}")


def _print_information(
    app: HydraApp, arguments: argparse.Namespace, parser: argparse.ArgumentParser
) -> int:
    """Print what --help, --hydra-help, --info or --cfg asks for."""
    name, overrides = arguments.config_name, arguments.overrides
    if arguments.help:
        app.app_help(name, args_parser=parser, args=arguments)
    elif arguments.hydra_help:
        app.hydra_help(name, args_parser=parser, args=arguments)
    elif arguments.info:
        # An error is to come before anything is printed.
        app.config_loader.load_configuration(name, overrides, RunMode.RUN)
        app.show_info(arguments.info, config_name=name, overrides=overrides)
    else:
        try:
            app.show_cfg(name, overrides, arguments.cfg, arguments.package, arguments.resolve)
        except SystemExit as stop:  # with 1 it has said that there is no such package
            return USAGE_STATUS if stop.code == 1 else TERMINATED_STATUS
    return COMPLETED_STATUS


def _complete(app: HydraApp, arguments: argparse.Namespace) -> int:
    """Complete words in a shell, or install this in the shell."""
    try:
        app.shell_completion(arguments.config_name, arguments.overrides)
    except ValueError as error:
        problem = " ".join(str(error).split())
        raise OptionError("--shell-completion", f"{problem}; see run.py --hydra-help") from error
    return COMPLETED_STATUS


def in_one_line(error: Exception) -> str:
    """Say what is wrong with a command line, in one line and without internals of Hydra."""
    cause = error.__cause__
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        return _missing_choice(error)
    if isinstance(error, OverrideParseException):
        return f"{in_message(error.override)}: {_why_unreadable(error)}"
    if isinstance(cause, ConfigKeyError | ConfigAttributeError) and cause.full_key:
        overridden = _COULD_NOT_OVERRIDE.match(str(error))
        return str(no_such_option(overridden[1] if overridden else cause.full_key))
    if isinstance(error, InstantiationException) and cause is not None:
        return f"{_first_line(error)} {_first_line(cause)}"
    reason = cause if isinstance(cause, OmegaConfBaseException) else error
    option, line = getattr(reason, "full_key", None), _first_line(reason)
    for beginning, in_plain_words in _IN_PLAIN_WORDS.items():
        if found := re.match(beginning, line):
            option, line = found.groupdict().get("option", option), in_plain_words
    if isinstance(reason, OptionError) or not option:
        return line
    return f"{option}: {line}"


def _missing_choice(error: MissingConfigException) -> str:
    group, _, choice = str(error.missing_cfg_file).rpartition("/")
    if not group:
        return f"--config-name: there is no {choice}.yaml in conf/"
    return f"{group}: {choice!r} is not one of {', '.join(error.options or [])}"


def _why_unreadable(error: OverrideParseException) -> str:
    """Say why Hydra cannot read an override. Its own words are clear only about its functions."""
    for line in str(error).splitlines():
        if "while evaluating" in line:
            return line
    return NO_OVERRIDE


def _first_line(error: BaseException) -> str:
    line = first_line(error)
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"
