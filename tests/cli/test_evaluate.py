"""rnnlm/cli/evaluate.py"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rnnlm.cli import main
from rnnlm.runs.trained_model import load
from tests.trained_runs import TrainedRuns

Output = pytest.CaptureFixture[str]


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("It was dark, and 龘 the machine stood still.\n" * 40, encoding="utf-8")
    return path


def test_the_figures_are_those_of_the_api(
    trained_runs: TrainedRuns, text: Path, capsys: Output
) -> None:
    run = trained_runs("prose")
    expected = load(run).evaluate(text)
    assert main(["evaluate", str(run), str(text), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == expected.to_dict()
    assert main(["evaluate", str(run), str(text)]) == 0
    output = capsys.readouterr()
    assert not output.err
    assert output.out.splitlines() == [
        f"loss       {expected.loss:.4f} nats/token",
        f"ppl        {expected.ppl:.4g}",
        f"bits/char  {expected.bpc:.4f}",
        f"unknown    {expected.unknown_rate:.2%} of 1,759 tokens",
        "characters 1,759",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "TEXT: no file "),
        (b"", "TEXT: text.txt holds no text"),
        (b"  \n ", "TEXT: "),
        (b"\xff\xff\xff\x00", "TEXT: text.txt is not text in UTF-8, UTF-16, GB18030 or Big5"),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_line(
    content: bytes | None, message: str, trained_runs: TrainedRuns, text: Path, capsys: Output
) -> None:
    if content is None:
        text.unlink()
    else:
        text.write_bytes(content)
    assert main(["evaluate", str(trained_runs("prose")), str(text)]) == 2
    output = capsys.readouterr()
    assert not output.out
    assert output.err.startswith(f"rnnlm evaluate: {message}")
    assert output.err.count("\n") == 1


def test_there_must_be_a_run(text: Path, capsys: Output) -> None:
    assert main(["evaluate", "nope", str(text)]) == 2
    assert capsys.readouterr().err.startswith("rnnlm evaluate: nope does not exist; give")


def test_a_folder_is_no_text(trained_runs: TrainedRuns, tmp_path: Path, capsys: Output) -> None:
    assert main(["evaluate", str(trained_runs("prose")), str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"rnnlm evaluate: TEXT: {tmp_path} is a folder")
