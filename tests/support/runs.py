"""Runs that are interrupted, and the parts of what runs leave that must be the same every time."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest

from rnnlm.data.texts.splitting import SPLITS
from rnnlm.training.module import LanguageModelModule


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
