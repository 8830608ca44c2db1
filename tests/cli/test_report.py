"""rnnlm/cli/report.py"""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnlm.cli import main
from tests.plots.sweep import sweep


def test_the_page_is_written_and_what_is_no_record_is_told_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep(tmp_path / "runs", seeds=2, cells=["gru-embed", "lstm-embed"])
    (tmp_path / "runs" / "foreign").mkdir()
    (tmp_path / "runs" / "foreign" / "result.json").write_text('{"a": 1}')
    page = tmp_path / "page.html"
    assert main(["report", str(tmp_path / "runs"), "-o", str(page), "--model", "gru,xz"]) == 0
    assert capsys.readouterr().out == f"written to {page}: 3 runs\n"
    text = page.read_text(encoding="utf-8")
    assert "gru-embed" in text
    assert "lstm-embed" not in text
    assert "foreign/result.json is not a record" in text


def test_what_cannot_be_written_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep(tmp_path, seeds=1, cells=["gru-embed"])
    page = tmp_path / "no" / "page.html"
    assert main(["report", str(tmp_path), "-o", str(page)]) == 2
    problem = f"{page} cannot be written (No such file or directory)"
    assert capsys.readouterr().err == f"rnnlm report: {problem}\n"
