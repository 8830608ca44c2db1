"""experiments/gpu/: every part runs, in miniature on a CPU, and the page says what was measured."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

CHECK = ROOT / "experiments" / "gpu"


def run(folder: Path, *arguments: str) -> int:
    """Run the check with its page and results in a folder of their own."""
    shutil.copy(CHECK / "README.md", folder)
    command = [sys.executable, str(CHECK / "run.py"), "--folder", str(folder), *arguments]
    return subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode


def test_the_page_is_written_from_the_results(tmp_path: Path) -> None:
    rows = [
        {"table": "flags", "changed": "none", "holds": True},
        {"table": "flags", "changed": "benchmark", "holds": False},
        {"table": "waits", "where": "module.py:1"},
    ]
    part = {"date": "2026-01-01", "command": "python x", "status": "completed", "rows": rows}
    results = {"training": {**part, "device": "a GPU", "torch": "2", "seconds": 3.0}}
    (tmp_path / "results.json").write_text(json.dumps(results))
    assert run(tmp_path, "--write-page") == 0
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "| training | completed (2026-01-01, a GPU) | 1 of 2 |" in page
    assert "2026-01-01, a GPU, torch 2: completed after 3.0 s. `python x`" in page
    assert "| changed | holds |\n| :-- | :-- |\n| none | yes |\n| benchmark | **no** |" in page
    assert "*Not run.* `python experiments/gpu/run.py --only agreement`" in page
    shutil.copy(tmp_path / "README.md", tmp_path / "before")
    assert run(tmp_path, "--write-page") == 0
    assert page == (tmp_path / "README.md").read_text(encoding="utf-8")


def test_a_part_that_takes_too_long_leaves_what_it_has_printed(tmp_path: Path) -> None:
    assert run(tmp_path, "--cpu", "--only", "agreement", "training", "--minutes", "0.05") == 1
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["agreement"]["status"] == "stopped at its time limit, 3 s"
    assert "training" not in results
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "| agreement | stopped at its time limit, 3 s" in page


@pytest.mark.slow
@pytest.mark.parametrize(
    "part", ["agreement", "training", "speed", "resuming", "sweep_letters", "shares"]
)
def test_each_part_runs_in_miniature(part: str, tmp_path: Path) -> None:
    assert run(tmp_path, "--cpu", "--only", part) == 0
    rows = json.loads((tmp_path / "results.json").read_text())[part]["rows"]
    assert rows
    if part != "speed":  # in miniature it is no measurement
        assert all(row.get("holds") is not False for row in rows)
