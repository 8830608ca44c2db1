"""Specifications of runs, interruptions, and what runs leave that must be the same every time."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest

from rnnlm.config import Config
from rnnlm.data.preparation import CorpusIdentity
from rnnlm.data.texts.splitting import SPLITS
from rnnlm.runs.spec import RunSpec
from rnnlm.training.module import LanguageModelModule


def spec_of(config: Config, identity: str = "0123456789abcdef") -> RunSpec:
    """The specification of a run on a text of this identity, which is not read."""
    return RunSpec.of(config, CorpusIdentity(identity, "text", "held out", 40), ["typed=1"])


def comparable(folder: Path) -> dict[str, Any]:
    """All of a record that must be the same whenever the same run is made."""
    record = json.loads((folder / "result.json").read_text())
    names = (
        "status",
        "fingerprint",
        "prompt",
        "sample",
        "num_parameters",
        "epochs",
        "best_epoch",
        "overrides",
        "history",
    )
    return {name: record[name] for name in (*names, *SPLITS)}


def logged(folder: Path) -> list[dict[str, str]]:
    """The rows of `scalars.csv` without the seconds that they took."""
    with (folder / "scalars.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(row.pop("cost/seconds") is not None for row in rows)
    return rows


def scalars(folder: Path, name: str) -> list[tuple[int, float]]:
    """The steps and values of a curve of `scalars.csv`."""
    with (folder / "scalars.csv").open(newline="") as file:
        return [(int(row["step"]), float(row[name])) for row in csv.DictReader(file) if row[name]]


def results(folder: Path) -> dict[str, Any]:
    """Return the results that the runs below a folder have left, by run."""
    return {
        str(path.parent.relative_to(folder)): (
            comparable(path.parent),
            logged(path.parent),
            (path.parent / "samples.txt").read_bytes(),
            sorted(p.name for p in (path.parent / "checkpoints").iterdir()),
        )
        for path in folder.rglob("result.json")
    }


def interrupt_at(
    monkeypatch: pytest.MonkeyPatch, time: int, number: int, hook: str = "training_step"
) -> None:
    """Send this process a signal in a hook of the module.

    Args:
        time: the call of the hook that sends it, from 1.
        number: the signal's.
    """
    original = getattr(LanguageModelModule, hook)
    times = 0

    def interrupted(self: LanguageModelModule, *arguments: Any) -> Any:
        nonlocal times
        times += 1
        if times == time:
            os.kill(os.getpid(), number)
        return original(self, *arguments)

    monkeypatch.setattr(LanguageModelModule, hook, interrupted)
