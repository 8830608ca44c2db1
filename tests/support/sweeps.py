"""Sweeps in a process of their own, what some of their runs suffer, and what they leave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnnlm.data.texts.splitting import SPLITS
from rnnlm.results.record import find_records
from tests.conftest import ROOT, TINY

ENDLESS = [*TINY[:-1], "trainer.max_epochs=100000", "checkpoint.train_time_interval=0.3"]
SABOTAGE = "+hydra.callbacks.sabotage._target_=tests.sweep.launchers.sabotage.Sabotage"


def start(
    folder: Path, *arguments: str, ignored: Sequence[int] = (), **environment: str
) -> subprocess.Popen[str]:
    """Begin a sweep in a session of its own, as a terminal would; it ignores the given signals."""

    def set_signals() -> None:
        # A background job of a shell inherits an ignored Ctrl-C.
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)

    return subprocess.Popen(
        [sys.executable, str(ROOT / "run.py"), *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=set_signals,
    )


def wait_for(what: str, folder: Path, count: int = 1, seconds: float = 90) -> list[Path]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if len(found := list(folder.rglob(what))) >= count:
            return found
        time.sleep(0.05)
    raise AssertionError(f"no {what} after {seconds} s")


def metrics_of(folder: Path) -> dict[str, dict[str, Any]]:
    return {
        record.fingerprint: {split: getattr(record, split) for split in SPLITS}
        for _, record in find_records([folder])[0]
    }
