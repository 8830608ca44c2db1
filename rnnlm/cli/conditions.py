"""Conditions on records as they are typed, such as `model=lstm,gru,optimizer.lr=1e-2`."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnlm.cli.output import RefusedError
from rnnlm.messages.legible import legible
from rnnlm.results.columns import NoSuchColumnError, column_named
from rnnlm.results.record import Record

# The name of a column or an option, such as `optimizer.lr`, `validation_ppl@10` and
# `exact_match[digits=3]`.
_NAME = r"[^\W\d][\w.]*(?:@\w*|\[[^\[\]]*\])?"
_MOST_NAMED = 20


@dataclass(frozen=True)
class Condition:
    """The name of a column or an option, and its wanted values as they were typed."""

    name: str
    values: str

    def __str__(self) -> str:
        return f"{self.name}={self.values}"

    def is_met_by(self, value: Any) -> bool:
        """Tell whether a value is one of those typed, or all that was typed with its commas."""
        wanted = (self.values, *map(str.strip, self.values.split(",")))
        return any(_is(value, typed) for typed in wanted)

    def kept(self, found: Sequence[tuple[Path, Record]]) -> list[tuple[Path, Record]]:
        """Return the runs that meet the condition.

        Raises:
            RefusedError: there is no such column, or no such run.
        """
        try:
            column = column_named(self.name, [record for _, record in found])
        except NoSuchColumnError as error:
            raise RefusedError(str(error)) from error
        kept = [run for run in found if self.is_met_by(column.value(run[1]))]
        if not kept:
            there_are = sorted({_typed(column.value(record)) for _, record in found})
            said = ", ".join(there_are[:_MOST_NAMED])
            more = len(there_are) - _MOST_NAMED
            said += f" and {more} more" if more > 0 else ""
            raise RefusedError(f"no run has {legible(str(self))}; the runs have {self.name}={said}")
        return kept


def conditions_in(text: str) -> list[Condition]:
    """Parse conditions; a comma separates values of one name, or two conditions.

    Raises:
        RefusedError: a part is not `NAME=VALUE`.
    """
    parts = re.split(rf",\s*(?={_NAME}\s*=)", text.strip())
    conditions = []
    for part in parts:
        found = re.fullmatch(rf"({_NAME})\s*=(?!=)(.*)", part, re.DOTALL)
        if found is None:
            compares = re.match(rf"{_NAME}\s*(==|[<>!]=?)", part)
            why = f"it takes =, there is no {compares[1]}" if compares else "it takes NAME=VALUE"
            raise RefusedError(f"--where {legible(text)}: {why}")
        conditions.append(Condition(found[1], found[2].strip()))
    return conditions


def _is(value: Any, wanted: str) -> bool:
    """Tell whether a value is the one typed; numbers compare as numbers, names as names."""
    if value is None or isinstance(value, bool):
        return wanted.lower() in (_typed(value), str(value).lower())
    if isinstance(value, int | float):
        with contextlib.suppress(ValueError):
            return int(wanted) == value
        with contextlib.suppress(ValueError):
            return float(wanted) == value
        return False
    return bool(str(value) == wanted)


def _typed(value: Any) -> str:
    """Write a value as a person types it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else legible(str(value))
