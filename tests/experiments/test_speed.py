"""experiments/speed/: the benchmark runs and prints every column of its table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "experiments" / "speed" / "run.py"


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_cell_is_measured_against_the_conventional_loop(precision: str) -> None:
    options = ["--sizes", "letters", "--cells", "gru", "--features", "onehot", "--cpu"]
    options += ["--rounds", "1", "--seconds", "0.01"]
    command = [sys.executable, str(BENCHMARK), *options, "--precision", precision]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    header, _, *rows = (line for line in output.splitlines() if line.startswith("|"))
    names, cells = ([cell.strip() for cell in line.split("|")[1:-1]] for line in (header, rows[0]))
    measured = dict(zip(names, cells, strict=True))
    assert measured["features"] == "onehot"
    assert ("c float32 / a" in measured) == (precision == "bf16-mixed")
    for name, value in list(measured.items())[2:]:
        assert float(value.split()[0].rstrip("%").replace(",", "")) > 0, name
    assert rows[-1].startswith("| geometric mean | onehot |")
