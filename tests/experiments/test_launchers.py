"""experiments/launchers/: the benchmark times the launchers and compares their metrics."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT, TINY


@pytest.mark.slow
def test_launchers_are_timed_in_turn_and_their_metrics_compared() -> None:
    command = [sys.executable, str(ROOT / "experiments" / "launchers" / "run.py"), "--rounds=1"]
    for option in [*TINY, "trainer.max_steps=2"]:
        command += ["--option", option]
    output = subprocess.run(
        [*command, "serial", "parallel"], check=True, capture_output=True, text=True
    ).stdout
    _, _, serial, parallel = output.splitlines()
    assert serial.split("|")[4].strip() == "1.00"
    assert float(parallel.split("|")[3]) > 0
    assert serial.endswith("| identical |")
    assert parallel.endswith("| identical |")
