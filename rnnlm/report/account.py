"""What a report says in words: the question, the setting, and how each row is had again."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import Any

from rnnlm.messages.legible import legible
from rnnlm.results.grouping import SHOWN_APART, Comparison, Group, differing_options
from rnnlm.results.record import Record


def question(records: Sequence[Record]) -> str:
    """What the runs can answer, from what varies among them."""
    cells = [record for record in records if record.features]
    models = _listed(_distinct(r.model for r in cells), "or")
    features = _listed(_distinct(r.features for r in cells), "or")
    asked = f"Which is best: {models}, with {features}" if cells else "What do the baselines reach"
    asked += f", on {_listed(_distinct(r.data for r in records), 'and')}"
    options = _distinct(
        option.partition("=")[0] for said in differing_options(cells) for option in said.split()
    )
    if options:
        asked += f", over {_listed(options, 'and')}"
    baselines = _distinct(r.model for r in records if not r.features)
    against = f" Baselines: {_listed(baselines, 'and')}." if baselines and cells else ""
    return f"{asked}?{against}"


def shared_options(records: Sequence[Record]) -> dict[str, str]:
    """The options that all runs of cells have with the same value, by name."""
    own = [record.options for record in records if record.features and record.options]
    if not own:
        return {}
    return {
        legible(name): _value(value)
        for name, value in own[0].items()
        if name not in SHOWN_APART and all(o.get(name, own) == value for o in own)
    }


def made_with(records: Sequence[Record]) -> list[tuple[str, str]]:
    """Versions, revisions, devices and dates, each with what it is called."""
    versions = _distinct(
        ", ".join(f"{name} {version}" for name, version in record.versions.items())
        for record in records
    )
    days = sorted(record.finished_at[:10] for record in records if record.finished_at)
    said = [
        ("versions", "; ".join(versions)),
        ("revision", ", ".join(_distinct((r.git_revision or "")[:12] for r in records))),
        ("device", ", ".join(_distinct(r.device for r in records))),
        ("precision", ", ".join(_distinct(r.precision for r in records))),
        ("trained", " to ".join(dict.fromkeys((days[0], days[-1]))) if days else ""),
    ]
    return [(name, value) for name, value in said if value]


def facts(comparison: Comparison) -> list[tuple[str, str]]:
    """What the text of a comparison is, and how it is split."""
    record = comparison.records[0]
    said = [("text", legible(record.text_sha256)), ("source", legible(record.source))]
    if record.vocab_size is not None:
        said.append(("vocabulary", f"{record.vocab_size:,} tokens, learned from train"))
    if record.oov_rate is not None:
        said.append(("unknown in test", f"{record.oov_rate:.2%} of the tokens"))
    for name in ("train", "validation", "test"):
        # What was measured with help has no train.
        splits = (getattr(r, name) for r in comparison.records)
        if split := next(filter(None, splits), None):
            size = f"{split['num_tokens']:,} tokens, {split['num_chars']:,} characters"
            said.append((name, size))
    return said


def command(group: Group) -> str:
    """The command that gives the runs of a group again."""
    seeds = [str(record.seed) for record in group.records if record.seed is not None]
    overrides = [o for o in group.records[0].overrides if not o.startswith("seed=")]
    if len(seeds) > 1:
        return shlex.join(["python", "run.py", "-m", *overrides, f"seed={','.join(seeds)}"])
    given = [o for o in group.records[0].overrides if o.startswith("seed=") and seeds]
    return shlex.join(["python", "run.py", *overrides, *given])


def _distinct(values: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(legible(value) for value in values if value))


def _listed(names: Sequence[str], word: str) -> str:
    """Such as `a, b or c`."""
    *others, last = names or [""]
    return f"{', '.join(others)} {word} {last}" if others else last


def _value(value: Any) -> str:
    if value is None:
        return "null"
    return legible(str(value).lower() if isinstance(value, bool) else str(value))
