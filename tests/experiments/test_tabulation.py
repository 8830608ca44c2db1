"""experiments/tabulation/: the benchmark runs and times every view of its records."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT


def test_every_view_of_the_records_is_timed() -> None:
    command = [sys.executable, "experiments/tabulation/run.py", "--records", "70"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stderr == ""
    rows = [line.strip("| ").split(" | ") for line in result.stdout.splitlines()[2:]]
    assert [name.partition(", ")[2] for name, _ in rows][2:] == [
        "means over seeds",
        "grids",
        "differences",
    ]
    assert all(float(seconds) > 0 for _, seconds in rows)
