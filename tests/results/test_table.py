"""rnnlm/results/table.py"""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

from rich.console import Console

from rnnlm.results.record import FAILED, Record
from rnnlm.results.table import COLUMNS, Table
from tests.results.test_record import record


def split(ppl: float) -> dict[str, float]:
    return {"loss": 1.0, "ppl": ppl, "bpc": 2.0, "num_tokens": 9, "num_chars": 9}


def records() -> list[Record]:
    return [
        record(model="rnn", validation=split(5.0), test=split(4.0)),
        record(model="lstm", validation=split(4.0), test=split(5.0), num_parameters=123456),
        record(model="gru", status=FAILED, train=None, validation=None, test=None, error="It [b]."),
    ]


def printed(table: Table) -> str:
    console = Console(width=200, file=StringIO())
    table.print(console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_rows_are_sorted_by_validation_perplexity_and_failed_ones_are_last() -> None:
    table = Table(records())
    assert [r.model for r in table.records] == ["lstm", "rnn", "gru"]
    assert [table.is_best(index) for index in range(3)] == [True, False, False]


def test_a_best_is_never_picked_across_texts() -> None:
    other = record(text_sha256="other", validation=split(2.0), test=split(2.0))
    table = Table([*records(), other])
    assert sorted(r.text_sha256 for i, r in enumerate(table.records) if table.is_best(i)) == [
        "abc",
        "other",
    ]


def test_the_terminal_shows_every_run_and_why_one_failed() -> None:
    text = printed(Table(records()))
    assert "* time_machine sample lstm" in text
    assert "123,456" in text
    assert "failed: time_machine gru-embed seed 1: It [b]." in text


def test_csv_has_every_digit_and_markdown_the_same_rows(tmp_path: Path) -> None:
    exact = 4.000000123456789
    table = Table([record(validation=split(exact), test=split(5.0)), *records()[2:]])
    table.write(tmp_path)
    with (tmp_path / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["validation_ppl"]) == exact
    assert [row["best"] for row in rows] == ["1", "0"]
    assert rows[1]["validation_ppl"] == ""
    lines = (tmp_path / "results.md").read_text().splitlines()
    assert len(lines) == 2 + len(rows)
    assert lines[0].count("|") == lines[3].count("|") == len(COLUMNS) + 1
    assert lines[2].startswith("| **time_machine** | **sample** | **lstm** |")
    assert "**4.000**" in lines[2]
