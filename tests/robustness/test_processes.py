"""A sweep that is killed at any moment leaves no process, and a flood of signals is one request."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from tests.conftest import TINY
from tests.support.sweeps import ENDLESS, start

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="/proc tells of processes"),
]

MARK = "RNNLM_TEST_SWEEP"


class Sweep:
    """A sweep in its own session; its processes inherit a mark by which they are found."""

    def __init__(self, folder: Path, *arguments: str, ignored: Sequence[int] = ()) -> None:
        self.folder = folder
        mark = str(uuid4())
        self.mark = f"{MARK}={mark}"
        self.main = start(folder, *arguments, ignored=ignored, **{MARK: mark})

    def processes(self) -> list[int]:
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if self.mark.encode() in path.read_bytes().split(b"\0"):
                    found.append(int(path.parts[2]))
            except OSError:
                continue
        return found

    def wait_until(self, condition: Callable[[], object], seconds: float = 180) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.processes()
            time.sleep(0.02)

    def has(self, name: str, count: int = 1) -> Callable[[], bool]:
        return lambda: len(list(self.folder.rglob(name))) >= count

    def ends(self) -> tuple[str, str]:
        """Wait until no process is left; return the whole output."""
        output = self.main.communicate(timeout=60)
        self.wait_until(lambda: not self.processes(), 60)
        return output


RANDOM = random.Random(19)
# Moments to kill: during the imports, in seconds from the start, or when a file first appears.
MOMENTS: list[float | str] = [
    *(round(RANDOM.uniform(0.05, 4.0), 2) for _ in range(3)),
    "run.log",
    "last.ckpt",
    "best.ckpt",
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_main_process_that_is_killed_leaves_no_process(
    moment: float | str, tmp_path: Path
) -> None:
    length = TINY if moment == "best.ckpt" else ENDLESS
    sweep = Sweep(tmp_path, *length)
    if isinstance(moment, str):
        sweep.wait_until(sweep.has(moment))
    else:
        time.sleep(moment)
    sweep.main.kill()
    # ends() reads both pipes to their end, so no process holds them any more.
    assert "Traceback" not in "".join(sweep.ends())
    for log in tmp_path.rglob("run.log"):
        assert "Traceback" not in log.read_text()
    assert not list(tmp_path.rglob("result.json"))


@pytest.mark.parametrize(
    ("launcher", "number", "count", "status"),
    [
        ("serial", signal.SIGINT, 5, 130),
        ("parallel", signal.SIGINT, 20, 130),
        ("serial", signal.SIGTERM, 5, 143),
        ("parallel", signal.SIGHUP, 3, -signal.SIGHUP),
    ],
)
def test_a_flood_of_signals_saves_once_and_leaves_no_process(
    launcher: str, number: int, count: int, status: int, tmp_path: Path
) -> None:
    sweep = Sweep(tmp_path, "-m", f"hydra/launcher={launcher}", "seed=1,2", *ENDLESS)
    at_once = 2 if launcher == "parallel" and len(os.sched_getaffinity(0)) > 1 else 1
    sweep.wait_until(sweep.has("last.ckpt", at_once))
    for _ in range(count):
        os.killpg(sweep.main.pid, number)
        time.sleep(0.3 / count)
    _, errors = sweep.ends()
    assert sweep.main.returncode == status
    assert "Traceback" not in errors
    for log in tmp_path.rglob("run.log"):
        text = log.read_text()
        assert "Traceback" not in text
        assert text.count("stopped by") == 1
    assert not list(tmp_path.rglob("result.json"))


def test_ctrl_c_that_was_ignored_from_the_start_stays_ignored(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, *TINY, ignored=[signal.SIGINT, signal.SIGHUP])
    sweep.wait_until(sweep.has("run.log"))
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGINT):
        os.killpg(sweep.main.pid, number)
    _, errors = sweep.ends()
    assert (sweep.main.returncode, errors) == (0, "")
