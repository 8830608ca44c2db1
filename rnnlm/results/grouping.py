"""Which records may stand side by side, and which differ in nothing but their seed.

Figures compare where they were measured on the same tokens: the same text, split, vocabulary and
rule for unknown tokens. Records that agree in that make a `Comparison`; within it, the runs of one
choice of all options over several seeds make a `Group`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rnnlm.messages.legible import legible, shortened
from rnnlm.results.columns import SELECTED_BY, Column
from rnnlm.results.record import COMPLETED, Record

# Options that a column of their own shows, or that decide no result.
SHOWN_APART = (
    *("data", "data.name", "model", "model.name", "features", "features.name", "seed"),
    *("data.source", "data.encoding", "output_dir", "force"),
)


@dataclass(frozen=True)
class Group:
    """Completed runs that differ in nothing but their seed, in the order of it."""

    records: list[Record]
    # The options that set it apart from others of the same model and features.
    apart: Mapping[str, str] = field(default_factory=dict)

    @property
    def options(self) -> str:
        """What sets it apart, as on the command line."""
        return _as_overrides(self.apart)

    @property
    def num_seeds(self) -> int:
        """How many seeds there are: of copies of a run one counts."""
        return len({record.seed for record in self.records})

    def agrees(self, apart: Mapping[str, str]) -> bool:
        """Whether it has these options with no other values; what it lacks sets nothing apart."""
        own = _options(self.records[0])
        return all(own.get(name, value) == value for name, value in apart.items())

    @property
    def model(self) -> str:
        """The cell or the baseline."""
        return self.records[0].model

    @property
    def features(self) -> str | None:
        """The features, where the model has any."""
        return self.records[0].features

    @property
    def has_epochs(self) -> bool:
        """Whether they are of networks as they were trained."""
        return self.records[0].has_epochs

    @property
    def name(self) -> str:
        """Such as `lstm-embed`, or with what sets it apart."""
        return legible(f"{self.records[0].cell} {self.options}".rstrip())

    def by_seed(self, figure: Column[Record]) -> dict[int | None, float]:
        """A figure's value at each seed that has one; None is the seed of what needs none."""
        values = ((record.seed, figure.value(record)) for record in self.records)
        return {seed: value for seed, value in values if value is not None}

    def values(self, figure: Column[Record]) -> list[float]:
        """A figure's values over the seeds."""
        return list(self.by_seed(figure).values())


@dataclass(frozen=True)
class Comparison:
    """Completed runs that were measured on the same tokens, best group first."""

    groups: list[Group]

    @property
    def records(self) -> list[Record]:
        """All its runs."""
        return [record for group in self.groups for record in group.records]

    @property
    def baselines(self) -> list[Group]:
        """Those of models that are no networks."""
        return [group for group in self.groups if not group.features]

    @property
    def title(self) -> str:
        """What was measured on, so that it cannot be taken for another."""
        record = self.records[0]
        names = (record.data, Path(record.source).name, f"text {record.text_sha256[:8]}")
        parts = list(map(shortened, names))
        if record.vocab_size is not None:
            parts.append(f"vocabulary {record.vocab_size:,}")
        assert record.test is not None
        parts.append(f"{record.test['num_tokens']:,} test tokens")
        return " · ".join(parts)


def comparisons(records: Sequence[Record]) -> list[Comparison]:
    """The completed records, by what they were measured on and then by seed."""
    completed = [record for record in records if record.status == COMPLETED]
    by_tokens = _classes(completed, measured_on)
    return sorted((_comparison(same) for same in by_tokens), key=lambda c: c.title)


def has_several_seeds(records: Sequence[Record]) -> bool:
    """Whether there are means to take."""
    return any(group.num_seeds > 1 for c in comparisons(records) for group in c.groups)


def measured_on(record: Record) -> Hashable:
    """What two records share if their figures were measured on the same tokens."""
    if record.held_out_sha256:
        return record.held_out_sha256
    # Earlier versions did not write it down.
    sizes = (record.test["num_tokens"], record.test["num_chars"]) if record.test else ()
    return (record.data, record.text_sha256, record.vocab_size, *sizes)


def differing_options(records: Sequence[Record]) -> list[str]:
    """Of each record, as on the command line, the options that no column shows and that differ.

    An option differs if two records on the same corpus have it with different values, or if one of
    two of the same cell has it and the other does not, as of a version without it.
    """
    return [_as_overrides(options) for options in _differing(records)]


def _differing(records: Sequence[Record]) -> list[dict[str, str]]:
    own = [_options(record) for record in records]
    values: dict[tuple[str, str], set[str | None]] = {}
    of_cells: dict[tuple[str, str], set[str]] = {}
    for record, options in zip(records, own, strict=True):
        for name, value in options.items():
            values.setdefault((record.data, name), set()).add(value)
        if record.options:
            of_cells.setdefault((record.data, record.cell), set()).update(options)
    for record, options in zip(records, own, strict=True):
        if record.options:
            for name in of_cells[record.data, record.cell] - options.keys():
                values[record.data, name].add(None)
    return [
        {n: v for n, v in options.items() if len(values[record.data, n]) > 1}
        for record, options in zip(records, own, strict=True)
    ]


def _as_overrides(options: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in options.items())


def _comparison(records: Sequence[Record]) -> Comparison:
    classes = _classes(records, lambda r: (r.cell, *sorted(_options(r).items())))
    firsts = [same[0] for same in classes]
    # An option that only some models have sets nothing apart.
    apart: dict[int, dict[str, str]] = {}
    for same_cell in _classes(firsts, lambda r: r.cell):
        apart |= zip(map(id, same_cell), _differing(same_cell), strict=True)
    groups = [
        Group(sorted(same, key=lambda r: (r.seed is None, r.seed)), apart[id(same[0])])
        for same in classes
    ]
    return Comparison(sorted(groups, key=_order))


def _order(group: Group) -> tuple[float, str]:
    values = group.values(SELECTED_BY)
    mean = sum(values) / len(values) if values else math.inf
    return (math.inf if math.isnan(mean) else mean, group.name)


def _options(record: Record) -> dict[str, str]:
    """The options that decide a run's result, but those that columns show."""
    options: dict[str, Any] = record.options
    if not options:
        # Earlier versions wrote down only what was given on the command line.
        options = dict(override.partition("=")[::2] for override in record.overrides)
    return {name: str(value) for name, value in options.items() if name not in SHOWN_APART}


def _classes(records: Sequence[Record], key: Callable[[Record], Hashable]) -> list[list[Record]]:
    """The records that share a key, in the order in which the keys come up."""
    found: dict[Hashable, list[Record]] = {}
    for record in records:
        found.setdefault(key(record), []).append(record)
    return list(found.values())
