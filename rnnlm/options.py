"""Typed options whose allowed values stand beside the field, and the one error for bad ones.

Every config dataclass of the project declares its fields with `option`; `check` walks a whole
config and refuses the first value out of range, naming it the way the command line does.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from enum import Enum
from typing import Any


class OptionError(Exception):
    """An option cannot be used: one line that names it, what is wrong, and what it takes."""

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(f"{option}: {problem}")
        self.option, self.problem = option, problem


def option(
    default: Any,
    *,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    below: float | None = None,
    choices: tuple[str, ...] | None = None,
    affects_result: bool = True,
) -> Any:
    """A dataclass field with its allowed values.

    Args:
        minimum, above, maximum, below: bounds of a number; `above` and `below` exclude their value.
        choices: the strings allowed.
        affects_result: False for an option that changes how a run looks or where it is put, and
            never what it computes; such options are left out of the run's fingerprint.
    """
    bounds = {"minimum": minimum, "above": above, "maximum": maximum, "below": below}
    return dataclasses.field(
        default=default,
        metadata={
            "bounds": {name: bound for name, bound in bounds.items() if bound is not None},
            "choices": choices,
            "affects_result": affects_result,
        },
    )


def fields_of(config: Any, prefix: str = "") -> Iterator[tuple[str, dataclasses.Field[Any], Any]]:
    """Every leaf of a tree of config dataclasses: its dotted name, its field and its value."""
    for field in dataclasses.fields(config):
        value, name = getattr(config, field.name), f"{prefix}{field.name}"
        if dataclasses.is_dataclass(value):
            yield from fields_of(value, f"{name}.")
        else:
            yield name, field, value


def check(config: Any, prefix: str = "") -> None:
    """Refuse the first value that its field does not allow.

    Args:
        prefix: of the options' names, where the config is part of another.

    Raises:
        OptionError: names the option, the value and what the option takes.
    """
    for name, field, value in fields_of(config, prefix):
        bounds, choices = field.metadata.get("bounds"), field.metadata.get("choices")
        if choices and value is not None and value not in choices:
            raise OptionError(name, f"{value!r} is not one of {', '.join(choices)}")
        if isinstance(value, float) and not math.isfinite(value):
            raise OptionError(name, f"{value} is not a finite number")
        if bounds and value is not None and not _within(value, bounds):
            raise OptionError(name, f"{value} is out of range, it takes {_in_words(bounds)}")


def result_options(config: Any) -> dict[str, Any]:
    """The options that decide a run's result, by dotted name, as plain JSON values."""
    return {
        name: value.name if isinstance(value, Enum) else value
        for name, field, value in fields_of(config)
        if field.metadata.get("affects_result", True)
    }


def _within(value: float, bounds: dict[str, float]) -> bool:
    return (
        value >= bounds.get("minimum", -math.inf)
        and value <= bounds.get("maximum", math.inf)
        and value > bounds.get("above", -math.inf)
        and value < bounds.get("below", math.inf)
    )


def _in_words(bounds: dict[str, float]) -> str:
    words = {
        "minimum": "at least",
        "above": "more than",
        "maximum": "at most",
        "below": "less than",
    }
    return " and ".join(f"{words[name]} {bound:,}" for name, bound in bounds.items())
