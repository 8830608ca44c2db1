"""Options with their types and allowed values, and the error for a bad option.

Every config dataclass of the project declares its fields with `option`. `check` walks through a
config and refuses the first value out of range, by the option's name on the command line.
"""

from __future__ import annotations

import dataclasses
import math
import operator
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

_COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "minimum": (operator.ge, "at least"),
    "above": (operator.gt, "more than"),
    "maximum": (operator.le, "at most"),
    "below": (operator.lt, "less than"),
}


class OptionError(Exception):
    """An option cannot be used: one line that names it, what is wrong, and what it takes."""

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(f"{option}: {problem}")
        self.option, self.problem = option, problem


def missing_extra(option: str, extra: str) -> OptionError:
    """The error for an option whose value needs an extra that is not installed."""
    return OptionError(option, f"{extra} needs the extra of that name, pip install -e '.[{extra}]'")


def option(  # noqa: PLR0913 (one for each kind of restriction)
    default: Any,
    *,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    below: float | None = None,
    choices: tuple[str, ...] | None = None,
    affects_result: bool = True,
    added_later: bool = False,
) -> Any:
    """Declare a dataclass field with its allowed values.

    Args:
        minimum, above, maximum, below: bounds of a number; `above` and `below` exclude their value.
        choices: the strings allowed.
        affects_result: False for an option that changes nothing that a run computes, such as where
            its files are put. Such options are left out of the run's fingerprint.
        added_later: True for an option that earlier versions did not have, and whose default is
            what they did. At its default it is left out too, so that their runs stay the same.
    """
    bounds = {"minimum": minimum, "above": above, "maximum": maximum, "below": below}
    return dataclasses.field(
        default=default,
        metadata={
            "bounds": {name: bound for name, bound in bounds.items() if bound is not None},
            "choices": choices,
            "affects_result": affects_result,
            "added_later": added_later,
        },
    )


def fields_of(config: Any, prefix: str = "") -> Iterator[tuple[str, dataclasses.Field[Any], Any]]:
    """Yield each option of nested config dataclasses: its dotted name, its field and its value."""
    for field in dataclasses.fields(config):
        value, name = getattr(config, field.name), f"{prefix}{field.name}"
        if dataclasses.is_dataclass(value):
            yield from fields_of(value, f"{name}.")
        else:
            yield name, field, value


def check(config: Any, prefix: str = "") -> None:
    """Refuse the first value that its field does not allow.

    Args:
        prefix: the beginning of the options' names, such as `model.`.

    Raises:
        OptionError: names the option, the value and what the option takes.
    """
    for name, field, value in fields_of(config, prefix):
        bounds, choices = field.metadata.get("bounds", {}), field.metadata.get("choices")
        if choices and value is not None and value not in choices:
            raise OptionError(name, f"{value!r} is not one of {', '.join(choices)}")
        if isinstance(value, float) and not math.isfinite(value):
            raise OptionError(name, f"{value} is not a finite number")
        limits = [(*_COMPARISONS[kind], bound) for kind, bound in bounds.items()]
        if value is not None and not all(holds(value, bound) for holds, _, bound in limits):
            takes = " and ".join(f"{words} {bound:,}" for _, words, bound in limits)
            raise OptionError(name, f"{value} is out of range, it takes {takes}")


def result_options(config: Any) -> dict[str, Any]:
    """Return the options that decide a run's result, by dotted name, as plain JSON values."""
    return {
        name: value.name if isinstance(value, Enum) else value
        for name, field, value in fields_of(config)
        if field.metadata.get("affects_result", True)
        and not (field.metadata.get("added_later") and value == field.default)
    }
