"""rnnlm/training/scalars.py"""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

from rnnlm.files.run_files import SCALARS
from rnnlm.training.scalars import ScalarsCSV, scalars_sha256


def test_metrics_of_a_step_are_one_row(tmp_path: Path) -> None:
    logger = ScalarsCSV(tmp_path)
    logger.log_metrics({"loss/validation": 2.5, "epoch": 0}, step=9)
    logger.log_metrics({"loss/train_running": 3.0, "epoch": 0}, step=9)
    logger.log_metrics({"loss/test": 1.0}, step=4)
    logger.finalize("success")
    with (tmp_path / SCALARS).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["4", "9"]
    assert (rows[1]["loss/validation"], rows[1]["loss/train_running"]) == ("2.5", "3.0")
    assert rows[0]["loss/test"] == "1.0"
    assert [path.name for path in tmp_path.iterdir()] == [SCALARS]


def test_a_logger_that_goes_on_writes_what_had_been_logged_and_reads_no_file(
    tmp_path: Path,
) -> None:
    logger = ScalarsCSV(tmp_path)
    logger.log_metrics({"loss/validation": 2.5, "epoch": 0}, step=9)
    logger.save()
    content = (tmp_path / SCALARS).read_bytes()
    assert scalars_sha256(tmp_path) == hashlib.sha256(content).hexdigest()
    (tmp_path / SCALARS).write_bytes(bytes(40))
    ScalarsCSV(tmp_path).load_state_dict(logger.state_dict())
    assert (tmp_path / SCALARS).read_bytes() == content
    assert scalars_sha256(tmp_path / "elsewhere") is None
