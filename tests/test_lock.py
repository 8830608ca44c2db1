"""rnnlm/lock.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from rnnlm.lock import is_held, sole_writer

HOLD = """
import sys, time
from pathlib import Path
from rnnlm.lock import sole_writer
with sole_writer(Path(sys.argv[1])) as free:
    print(free, flush=True)
    time.sleep(600)
"""


def test_a_run_has_one_writer_and_the_lock_of_a_dead_one_is_taken_over(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert is_held(tmp_path)
        with sole_writer(tmp_path) as free:
            assert not free
        other.kill()
        other.wait()
    with sole_writer(tmp_path) as free:
        assert free
    assert not is_held(tmp_path)


def test_a_folder_that_is_not_there_is_not_held(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "no")
