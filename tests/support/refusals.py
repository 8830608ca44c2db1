"""Command lines of `run.py` that are refused: in one line, before anything is done."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rnnlm.sweep.command_line import USAGE_STATUS, main
from rnnlm.sweep.worker import run_one
from tests.conftest import ROOT

Refusal = Callable[..., str]


@pytest.fixture
def refusal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Refusal:
    """Give a function that returns the one line by which a command line is refused."""

    def refused(*arguments: str) -> str:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["run.py", *arguments])
        assert main(run_one, ROOT / "conf", "config") == USAGE_STATUS
        output = capsys.readouterr()
        assert (output.err.count("\n"), output.out) == (1, "")
        assert not any(path.is_file() for path in tmp_path.rglob("*"))
        return output.err

    return refused
