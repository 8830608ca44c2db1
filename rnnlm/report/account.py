"""The words of a report: the question, the setting, and the command that reproduces each group."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import Any

from rnnlm.data.texts.splitting import SPLITS
from rnnlm.messages.legible import legible
from rnnlm.results.grouping import OPTIONS_LEFT_OUT, Comparison, Group, differing_options
from rnnlm.results.phrases import listed, span
from rnnlm.results.record import Record


def question(records: Sequence[Record]) -> str:
    """Return the question that the runs can answer, from what varies among them."""
    networks = [record for record in records if record.features]
    baselines = _distinct(r.model for r in records if not r.features)
    asked = "What do the baselines reach"
    if networks:
        models = listed(_distinct(r.model for r in networks), "or")
        features = listed(_distinct(r.features for r in networks), "or")
        asked = f"Which is best: {models}, with {features}"
    asked += f", on {listed(_distinct(r.data for r in records))}"
    overrides = " ".join(differing_options(networks)).split()
    if options := _distinct(override.partition("=")[0] for override in overrides):
        asked += f", over {listed(options)}"
    return f"{asked}?" + (f" Baselines: {listed(baselines)}." if baselines and networks else "")


def shared_options(records: Sequence[Record]) -> dict[str, str]:
    """Return the options in which all networks agree, by name."""
    first, *others = [r.options for r in records if r.features and r.options] or [{}]
    return {
        legible(name): _as_override(value)
        for name, value in first.items()
        if name not in OPTIONS_LEFT_OUT
        and all(name in options and options[name] == value for options in others)
    }


def made_with(records: Sequence[Record]) -> list[tuple[str, str]]:
    """Return versions, revisions, devices and dates, each with its name."""
    versions = _distinct(
        ", ".join(f"{name} {version}" for name, version in record.versions.items())
        for record in records
    )
    days = [record.finished_at[:10] for record in records if record.finished_at]
    named = [
        ("versions", "; ".join(versions)),
        ("revision", ", ".join(_distinct((r.git_revision or "")[:12] for r in records))),
        ("device", ", ".join(_distinct(r.device for r in records))),
        ("precision", ", ".join(_distinct(r.precision for r in records))),
        ("trained", span(min(days), max(days)) if days else ""),
    ]
    return [(name, value) for name, value in named if value]


def facts(comparison: Comparison) -> list[tuple[str, str]]:
    """Return the identity and the sizes of a comparison's text, each with its name."""
    record = comparison.records[0]
    found = [("text", legible(record.text_sha256)), ("source", legible(record.source))]
    if record.vocab_size is not None:
        found.append(("vocabulary", f"{record.vocab_size:,} tokens, learned from train"))
    if record.oov_rate is not None:
        found.append(("unknown in test", f"{record.oov_rate:.2%} of the tokens"))
    for name in SPLITS:
        # Adapted runs have no train split.
        splits = (getattr(r, name) for r in comparison.records)
        if split := next(filter(None, splits), None):
            size = f"{split['num_tokens']:,} tokens, {split['num_chars']:,} characters"
            found.append((name, size))
    return found


def command(group: Group) -> str:
    """Return the command that reproduces the runs of a group."""
    seeds = [str(record.seed) for record in group.records if record.seed is not None]
    given = group.records[0].overrides
    overrides = [override for override in given if not override.startswith("seed=")]
    if len(seeds) > 1:
        return shlex.join(["python", "run.py", "-m", *overrides, f"seed={','.join(seeds)}"])
    seed = [override for override in given if override.startswith("seed=") and seeds]
    return shlex.join(["python", "run.py", *overrides, *seed])


def _distinct(values: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(legible(value) for value in values if value))


def _as_override(value: Any) -> str:
    if value is None:
        return "null"
    return legible(str(value).lower() if isinstance(value, bool) else str(value))
