"""experiments/verse/: a run writes poems with and without rules, and they are counted."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT
from tests.trained_runs import TrainedRuns


def test_every_rule_is_kept_by_every_poem_it_was_asked_of(trained_runs: TrainedRuns) -> None:
    script = ROOT / "experiments" / "verse" / "run.py"
    output = subprocess.run(
        [sys.executable, str(script), str(trained_runs("tang")), "--num=20"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    rows = {
        cells[1].strip(): [cell.strip() for cell in cells[2:-1]]
        for cells in (line.split("|") for line in output.splitlines()[2:])
    }
    assert rows["form"][:2] == ["20", "20"]
    assert rows["form, acrostic"][:3] == ["20", "20", "20"]
    assert rows["form, rhyme"][3] == "20"
    assert rows["form, tones"][4] == "20"
    assert rows["all of them"][:5] == ["20"] * 5
    assert rows["free"][-1] == "1.00"
    assert all(float(row[-1]) > 0 for row in rows.values())
