"""Processes that segment a text side by side end when they should, with one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks processes up in /proc"),
]

SAMPLE = ROOT / "rnnlm" / "data" / "samples" / "jinyong"
# Segments in two processes until it is stopped, even on a machine with one core.
SEGMENT = """
import os, sys
os.sched_getaffinity = lambda pid: {0, 1}
from rnnlm.data.tokens import segmentation
from rnnlm.options import OptionError
text = open(sys.argv[1], encoding="utf-8").read()
try:
    while True:
        segmentation.segment([text])
except (OptionError, KeyboardInterrupt) as stop:
    sys.exit(str(stop) or "interrupted")
"""
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text long enough for segmentation to use a second process."""
    path = tmp_path_factory.mktemp("text") / "novel.txt"
    tales = "".join(tale.read_text(encoding="utf-8") for tale in sorted(SAMPLE.iterdir()))
    path.write_text(tales * (2_800_000 // len(tales)), encoding="utf-8")
    return path


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start Python in its own process group; the group is killed at the end."""
    processes = []

    def started(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        processes.append(process)
        return process

    yield started
    for process in processes:
        if group_of(process):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def group_of(process: subprocess.Popen[str]) -> dict[int, str]:
    """Return the living processes of the group, by process id, with their command lines."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            command_line = (folder / "cmdline").read_text()
            # A process that is ending has no command line any more.
            if int(group) == process.pid and state not in "ZX" and command_line:
                found[int(folder.name)] = command_line
        except OSError:  # the process has just ended
            continue
    return found


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """Wait until the process has both workers; return their process ids."""
    for _ in range(3_000):
        workers = [pid for pid, line in group_of(process).items() if "spawn_main" in line]
        if len(workers) == 2:
            return workers
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    raise AssertionError("there are no two workers")


@pytest.mark.parametrize("seconds", [0, 5])
def test_workers_end_with_a_process_that_is_killed(
    seconds: float, start: Start, text: Path
) -> None:
    process = start("-c", SEGMENT, str(text))
    workers_of(process)
    time.sleep(seconds)
    process.kill()
    # The pipes end, so no process holds them any more.
    output, errors = process.communicate(timeout=60)
    assert output == ""
    assert "Traceback" not in errors
    assert not group_of(process)


@pytest.mark.parametrize("seconds", [0, 5])
def test_ctrl_c_is_heard_by_the_main_process_alone(
    seconds: float, start: Start, text: Path
) -> None:
    process = start("-c", SEGMENT, str(text))
    workers_of(process)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (1, "", "interrupted\n")
    assert not group_of(process)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="on one core there are no workers")
def test_a_worker_that_is_killed_ends_the_command_in_one_line(
    start: Start, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("RNNLM_CACHE_DIR", str(cache))
    options = ["model=unigram", "data=jinyong", f"data.source={text}"]
    process = start(str(ROOT / "run.py"), *options)
    os.kill(workers_of(process)[1], signal.SIGKILL)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (2, "")
    assert errors.startswith("data.source: a process that cuts the text into words was killed")
    assert errors.count("\n") == 1
    assert not list(cache.rglob("*"))
    assert not group_of(process)
