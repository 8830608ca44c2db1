"""Comparable records, and among them groups of runs that differ only in the seed.

Metrics are comparable if they were measured on the same tokens: the same text, split, vocabulary
and rule for unknown tokens. Records that agree in those form a `Comparison`. Within it, the runs
that agree in all options except the seed form a `Group`, which the glossary calls a variant.
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

# Options that have a column of their own, or that do not change a result.
OPTIONS_LEFT_OUT = {
    "data", "data.name", "data.source", "data.encoding", "model", "model.name", "features",
    "features.name", "seed", "output_dir", "force",
}  # fmt: skip
# The rule by which running text was evaluated is shown where it differs, like an option.
EVALUATION = "evaluation"
FORMER_EVALUATION = "long-streams"


@dataclass(frozen=True)
class Group:
    """Completed runs that differ only in the seed, ordered by it."""

    records: list[Record]
    # The options that distinguish it from other groups of the same model and features.
    apart: Mapping[str, str] = field(default_factory=dict)

    @property
    def options(self) -> str:
        """The options that distinguish the group, as on the command line."""
        return _as_overrides(self.apart)

    @property
    def num_seeds(self) -> int:
        """The number of seeds; copies of a run count once."""
        return len({record.seed for record in self.records})

    @property
    def model(self) -> str:
        """The cell or the baseline."""
        return self.records[0].model

    @property
    def features(self) -> str | None:
        """The features, None for a baseline."""
        return self.records[0].features

    @property
    def is_trained_network(self) -> bool:
        """True for networks without adaptation, False for a baseline."""
        return self.records[0].is_trained_network

    @property
    def name(self) -> str:
        """Model and features, such as `lstm-embed`, and the options that distinguish the group."""
        return legible(f"{self.records[0].model_and_features} {self.options}".rstrip())

    def agrees(self, apart: Mapping[str, str]) -> bool:
        """Return True if no option of the group contradicts these; it may lack some of them."""
        own = _options(self.records[0])
        return all(own.get(name, value) == value for name, value in apart.items())

    def by_seed(self, metric: Column[Record]) -> dict[int | None, float]:
        """Return the metric of each seed that has it; a baseline has the seed None."""
        values = ((record.seed, metric.value(record)) for record in self.records)
        return {seed: value for seed, value in values if value is not None}

    def values(self, metric: Column[Record]) -> list[float]:
        """Return the metric's values over the seeds."""
        return list(self.by_seed(metric).values())


@dataclass(frozen=True)
class Comparison:
    """Completed runs that were measured on the same tokens, best group first."""

    groups: list[Group]

    @property
    def records(self) -> list[Record]:
        """The runs of all groups."""
        return [record for group in self.groups for record in group.records]

    @property
    def has_several_seeds(self) -> bool:
        """True if any group has more than one seed, and so a mean."""
        return any(group.num_seeds > 1 for group in self.groups)

    @property
    def baselines(self) -> list[Group]:
        """The groups of models that are not networks."""
        return [group for group in self.groups if not group.features]

    @property
    def title(self) -> str:
        """Corpus, source, hash of the text, vocabulary and number of test tokens."""
        record = self.records[0]
        names = (record.data, Path(record.source).name, f"text {record.text_sha256[:8]}")
        parts = list(map(shortened, names))
        if record.vocab_size is not None:
            parts.append(f"vocabulary {record.vocab_size:,}")
        assert record.test is not None
        parts.append(f"{record.test['num_tokens']:,} test tokens")
        return " · ".join(parts)


def comparisons(records: Sequence[Record]) -> list[Comparison]:
    """Group the completed records by the tokens that they were measured on, then by options."""
    completed = [record for record in records if record.status == COMPLETED]
    found = [_comparison(same) for same in _classes(completed, measured_on)]
    return sorted(found, key=lambda comparison: comparison.title)


def measured_on(record: Record) -> Hashable:
    """Return a key that is equal for two records if they were measured on the same tokens."""
    if record.held_out_sha256:
        return record.held_out_sha256
    # Records of earlier versions lack the hash.
    sizes = (record.test["num_tokens"], record.test["num_chars"]) if record.test else ()
    return (record.data, record.text_sha256, record.vocab_size, *sizes)


def differing_options(records: Sequence[Record]) -> list[str]:
    """Return for each record the options, as on the command line, in which the records differ.

    An option differs if two records on the same corpus have different values of it, or if one of
    two records of the same model and features lacks it, as in a version without that option.
    Options with a column of their own are left out.
    """
    return [_as_overrides(options) for options in _differing(records)]


def _differing(records: Sequence[Record]) -> list[dict[str, str]]:
    own = [_options(record) for record in records]
    values: dict[tuple[str, str], set[str | None]] = {}
    options_of_model: dict[tuple[str, str], set[str]] = {}
    for record, options in zip(records, own, strict=True):
        for name, value in options.items():
            values.setdefault((record.data, name), set()).add(value)
        if record.options:
            options_of_model.setdefault((record.data, record.model_and_features), set()).update(
                options
            )
    for record, options in zip(records, own, strict=True):
        if record.options:
            of_model = options_of_model[record.data, record.model_and_features]
            for name in of_model - options.keys() - {EVALUATION}:
                values[record.data, name].add(None)
    return [
        {n: v for n, v in options.items() if len(values[record.data, n]) > 1}
        for record, options in zip(records, own, strict=True)
    ]


def _as_overrides(options: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in options.items())


def _comparison(records: Sequence[Record]) -> Comparison:
    classes = _classes(records, lambda r: (r.model_and_features, *sorted(_options(r).items())))
    # An option that only some models have distinguishes no groups of one model.
    apart: dict[int, dict[str, str]] = {}
    for same_cell in _classes([same[0] for same in classes], lambda r: r.model_and_features):
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
    """The options that decide a run's result, except those that have columns.

    Besides, the rule by which a network was evaluated; documents have had only one.
    """
    options: dict[str, Any] = record.options
    if not options:
        # Records of earlier versions hold only what was given on the command line.
        options = dict(override.partition("=")[::2] for override in record.overrides)
    found = {name: str(value) for name, value in options.items() if name not in OPTIONS_LEFT_OUT}
    is_measured = record.is_trained_network and record.status == COMPLETED
    if is_measured and found.get("data.batching") != "documents":
        found[EVALUATION] = record.evaluation or FORMER_EVALUATION
    return found


def _classes(records: Sequence[Record], key: Callable[[Record], Hashable]) -> list[list[Record]]:
    """The records by a key, in the order in which the keys first occur."""
    found: dict[Hashable, list[Record]] = {}
    for record in records:
        found.setdefault(key(record), []).append(record)
    return list(found.values())
