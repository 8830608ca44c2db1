"""rnnlm/results/scalars.py"""

from __future__ import annotations

import csv
from pathlib import Path

from rnnlm.results.scalars import FILE_NAME, ScalarsCSV


def test_metrics_of_a_step_are_one_row(tmp_path: Path) -> None:
    logger = ScalarsCSV(tmp_path)
    logger.log_metrics({"loss/validation": 2.5, "epoch": 0}, step=9)
    logger.log_metrics({"loss/train_running": 3.0, "epoch": 0}, step=9)
    logger.log_metrics({"loss/test": 1.0}, step=4)
    logger.finalize("success")
    with (tmp_path / FILE_NAME).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["4", "9"]
    assert (rows[1]["loss/validation"], rows[1]["loss/train_running"]) == ("2.5", "3.0")
    assert rows[0]["loss/test"] == "1.0"
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
