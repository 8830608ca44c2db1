"""Ctrl-C and SIGTERM at any moment end `run.py` in one line, 130 or 143, and no process stays."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.sweeps import start

LINES = {
    signal.SIGINT: "interrupted; the same command goes on with what is left\n",
    signal.SIGTERM: "stopped by SIGTERM; the same command goes on with what is left\n",
}
COMMAND = ["-m", "seed=1,2", "model.hidden_size=16", "trainer.max_epochs=1000"]
# Moments of the signals, as shares of the time from the start to the end of the first epoch.
MOMENTS = (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 1.5)


def seconds_until_training(folder: Path) -> float:
    """Measure how long it takes on this machine until the first run has trained an epoch."""
    process = start(folder, *COMMAND)
    began = time.monotonic()
    while not list(folder.rglob("scalars.csv")):
        assert process.poll() is None
        time.sleep(0.05)
    taken = time.monotonic() - began
    process.send_signal(signal.SIGTERM)
    process.communicate()
    return taken


def left_of(session: int) -> list[str]:
    """Return the processes of a session that are still at work."""
    command = ["ps", "-o", "stat=,args=", "--sid", str(session)]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return [line for line in lines.splitlines() if not line.startswith("Z")]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="sessions are listed by Linux' ps")
def test_signals_at_any_moment_end_in_one_line(tmp_path: Path) -> None:
    rng = random.Random(19)
    (tmp_path / "first").mkdir()
    until_training = seconds_until_training(tmp_path / "first")
    for number, share in enumerate(MOMENTS):
        folder = tmp_path / str(number)
        folder.mkdir()
        sent = rng.choice(list(LINES))
        times = rng.choice([1, 2, 5, 20])
        to_group = rng.random() < 0.5
        process = start(folder, *COMMAND, *rng.choice([[], ["hydra/launcher=parallel"]]))
        time.sleep(share * until_training)
        for _ in range(times):
            if process.poll() is None:
                (os.killpg if to_group else os.kill)(process.pid, sent)
                time.sleep(0.06 if times < 20 else 0.01)
        _, errors = process.communicate(timeout=120)
        case = (share, sent.name, times, to_group, errors)
        assert (process.returncode, errors) == (128 + sent, LINES[sent]), case
        # A process that was starting may need some seconds to see that its parent is gone.
        for _ in range(100):
            if not left_of(process.pid):
                break
            time.sleep(0.2)
        assert left_of(process.pid) == [], case
