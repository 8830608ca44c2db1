"""Overrides of a command line, `option=value`: those that cannot work are refused.

Hydra accepts a sweep without a value, another folder for a run, and a choice that does not exist.
Without this check, only the process of a run would notice them.
"""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    Glob,
    IntervalSweep,
    Override,
    RangeSweep,
    Sweep,
    ValueType,
)
from omegaconf import MISSING

from rnnlm.messages.legible import in_message
from rnnlm.options import OptionError, missing_extra
from rnnlm.sweep.hydra_quoting import as_hydra_reads, several_values_message

# The most runs of a sweep: more are a mistake, and would take minutes to check.
MOST_RUNS = 100_000
# Options of Hydra's own that have a use here.
_HYDRA_GROUPS = ("hydra/launcher", "hydra/sweeper", "hydra/job_logging", "hydra/hydra_logging")
_HYDRA_NODES = (
    *(f"{group.replace('/', '.')}." for group in _HYDRA_GROUPS),
    "hydra.callbacks.",
)
_LOGGING = ("hydra.job_logging.", "hydra.hydra_logging.")
_HYDRA_OPTIONS = ("hydra.verbose", "hydra.searchpath")
_HYDRA_FOLDERS = ("hydra.sweep", "hydra.run", "hydra.job", "hydra.output_subdir")
# Groups that can have several choices at the same time.
_GROUPS_OF_SEVERAL = ("logger", "experiment")
# Choices that exist if the extra of the same name is installed.
_EXTRAS = (("hydra/sweeper", "optuna"),)


def read_overrides(arguments: Sequence[str], loader: ConfigLoader, multirun: bool) -> list[str]:
    """Turn what was typed into overrides that Hydra reads.

    Raises:
        OptionError: an override has no meaning, or several.
        HydraException: Hydra cannot carry one out.
    """
    parser = OverridesParser.create(config_loader=loader)
    readable = [as_hydra_reads(argument, parser, multirun) for argument in arguments]
    for text in readable:
        (override,) = parser.parse_overrides([text])
        _check(override, loader, multirun)
    return readable


def check_grid(overrides: Sequence[Override]) -> None:
    """Check that a grid can be swept: its values can be listed, and its runs are not too many.

    Raises:
        OptionError: names the option that is an interval, or the one with the most values.
    """
    for override in overrides:
        if override.is_interval_sweep():
            key, shown = override.get_key_element(), in_message(override.get_value_string())
            raise OptionError(key, f"{shown} is searched, not swept: add hydra/sweeper=optuna")
    # The second value counts if an option is given twice.
    last = {override.get_key_element(): override for override in overrides}
    counts = {key: _num_values(override) for key, override in last.items()}
    if math.prod(counts.values()) > MOST_RUNS:
        longest = max(counts, key=counts.__getitem__)
        shown = in_message(last[longest].get_value_string())
        raise OptionError(
            longest, f"{shown} makes more than {MOST_RUNS:,} runs, the most of a sweep"
        )


def _check(override: Override, loader: ConfigLoader, multirun: bool) -> None:
    key = override.get_key_element().lstrip("+~")
    _check_hydra_option(key, override)
    if MISSING in _values(override):
        raise OptionError(key, f"{MISSING} is no value")
    choices = loader.get_group_options(override.key_or_group, ObjectType.CONFIG)
    if override.is_sweep_override():
        _check_sweep(key, override, choices)
        if not multirun:
            raise OptionError(key, _needs_multirun_message(override, choices))
    elif _has_sweep(override.value()):
        raise OptionError(key, "a sweep cannot stand inside a list or a map")
    if choices and override.is_delete():
        if not isinstance(override.value(), str | None):
            raise OptionError(key, f"{in_message(override.get_value_string())} is no choice of it")
    elif choices:
        _check_choices(key, override, choices)


def _check_hydra_option(key: str, override: Override) -> None:
    if key in _HYDRA_FOLDERS or key.startswith(tuple(f"{name}." for name in _HYDRA_FOLDERS)):
        raise OptionError(key, "a run's folder follows from its options, see output_dir")
    if override.is_hydra_override() and override.is_sweep_override():
        raise OptionError(key, "Hydra's own options cannot be swept")
    if key.startswith(_LOGGING) and key.endswith(".level"):
        _check_level(key, override.value())
    if key.partition("@")[0].startswith("hydra/") or key.startswith(_HYDRA_NODES):
        return
    if key == "hydra" or key.startswith("hydra."):
        value = override.value()
        group = key.replace(".", "/")
        if group in _HYDRA_GROUPS and not isinstance(value, dict):
            raise OptionError(key, f"a choice is typed {group}={in_message(str(value))}")
        if key == "hydra.verbose" and not isinstance(value, bool | str | list):
            raise OptionError(
                key, f"{in_message(str(value))} is not true, false or a logger's name"
            )
        if key == "hydra.searchpath" and isinstance(value, list):
            _check_folders(key, value)
        if key not in _HYDRA_OPTIONS and group not in _HYDRA_GROUPS:
            nodes = ("hydra.launcher.*", "hydra.sweeper.*", "hydra.callbacks.*")
            usable = ", ".join([*_HYDRA_GROUPS, *nodes])
            raise OptionError(key, f"this option of Hydra has no use here, these have: {usable}")


def _check_level(key: str, value: Any) -> None:
    levels = logging.getLevelNamesMapping()
    if not isinstance(value, int) and str(value) not in levels:
        raise OptionError(key, f"{in_message(str(value))} is not one of {', '.join(levels)}")


def _check_folders(key: str, folders: list[Any]) -> None:
    for folder in map(str, folders):
        if not folder.startswith("pkg://") and not Path(folder.removeprefix("file://")).is_dir():
            raise OptionError(key, f"no folder {in_message(folder)}")


def _check_sweep(key: str, override: Override, choices: Sequence[str]) -> None:
    value, shown = override.value(), in_message(override.get_value_string())
    if isinstance(value, IntervalSweep):
        if not _is_interval(value):
            raise OptionError(key, f"{shown} is empty, its second number has to be the larger")
        return
    if isinstance(value, RangeSweep):
        _check_range(key, value, shown)
    if isinstance(value, ChoiceSweep) and _has_sweep(value.list):
        raise OptionError(key, f"{shown}: a sweep cannot stand inside a sweep")
    if isinstance(value, Glob) and not choices:
        raise OptionError(
            key, f"{shown} works only for a group such as model, and this is a single option"
        )
    if _num_values(override) == 0:
        there_are = f", there are {', '.join(choices)}" if isinstance(value, Glob) else ""
        raise OptionError(key, f"{shown} has no value{there_are}")


def _check_range(key: str, sweep: RangeSweep, shown: str) -> None:
    numbers = (sweep.start, sweep.stop, sweep.step)
    if not all(isinstance(n, int) or (isinstance(n, float) and math.isfinite(n)) for n in numbers):
        raise OptionError(key, f"{shown} is not of three finite numbers")
    if sweep.step == 0:
        raise OptionError(key, f"{shown} has a step of 0")


def _is_interval(sweep: IntervalSweep) -> bool:
    start, end = sweep.start, sweep.end
    return start is not None and end is not None and -math.inf < start < end < math.inf


def _num_values(override: Override) -> int:
    """Count the values of an override, up to one more than a sweep may have runs."""
    if not override.is_sweep_override() or override.is_interval_sweep():
        return 1
    value = override.value()
    # A shuffled range would be made a list before it is counted, however long it is.
    values = value.range() if isinstance(value, RangeSweep) else override.sweep_iterator()
    return sum(1 for _ in itertools.islice(values, MOST_RUNS + 1))


def _values(override: Override) -> list[Any]:
    """Return the values that an override lists, without quotes."""
    value: Any = override.value()
    values = value.list if isinstance(value, ChoiceSweep) else [value]
    return [getattr(each, "text", each) for each in values]


def _has_sweep(value: Any) -> bool:
    if isinstance(value, list | dict):
        return any(_has_sweep(v) for v in (value if isinstance(value, list) else value.values()))
    return isinstance(value, Sweep | Glob)


def _needs_multirun_message(override: Override, choices: Sequence[str]) -> str:
    if override.value_type is ValueType.SIMPLE_CHOICE_SWEEP and not choices:
        return several_values_message(str(override.input_line))
    return f"{in_message(override.get_value_string())} is several values, add -m to sweep them"


def _check_choices(key: str, override: Override, choices: Sequence[str]) -> None:
    """Check that a group is given one of its choices; `null` is for no preset."""
    if isinstance(override.value(), Glob):
        return
    for chosen in _values(override):
        if isinstance(chosen, list) and key not in _GROUPS_OF_SEVERAL:
            raise OptionError(key, f"it takes one choice; to sweep several, type -m {key}=a,b")
        for name in chosen if isinstance(chosen, list) else [chosen]:
            _check_choice(key, getattr(name, "text", name), choices)


def _check_choice(key: str, name: Any, choices: Sequence[str]) -> None:
    if name in choices or (name is None and key == "experiment"):
        return
    if (key, name) in _EXTRAS:
        raise missing_extra(key, name)
    shown = "null" if name is None else repr(name) if isinstance(name, str) else str(name)
    raise OptionError(key, f"{in_message(shown)} is not one of {', '.join(choices)}")
