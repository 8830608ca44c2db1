"""rnnlm/results/table.py"""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from rnnlm.results.record import FAILED, Record
from rnnlm.results.table import Table
from tests.results.test_record import record


def split(ppl: float) -> dict[str, float]:
    return {"loss": 1.0, "ppl": ppl, "bpc": 2.0, "num_tokens": 9, "num_chars": 9}


def records() -> list[Record]:
    return [
        record(model="rnn", validation=split(5.0), test=split(4.0)),
        record(model="lstm", validation=split(4.0), test=split(5.0), num_parameters=123456),
        record(model="gru", status=FAILED, train=None, validation=None, test=None, error="It [b]."),
    ]


def printed(table: Table, width: int = 200) -> str:
    console = Console(width=width, file=StringIO())
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


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_no_figure_is_cut_off_on_a_narrow_terminal(width: int) -> None:
    table = Table(records())
    text = printed(table, width)
    assert "…" not in text
    assert all(len(line) <= width for line in text.splitlines())
    best = next(line for line in text.splitlines() if line.startswith("*"))
    assert "4.000" in best
    assert "5.000" in best
    assert ("no room here for" in text) == (table.columns_within(width) != table.columns)


def test_options_that_differ_are_a_column(tmp_path: Path) -> None:
    common = ["model=lstm", "seed=1", "trainer.max_epochs=2"]
    table = Table(
        [
            record(overrides=[*common, "optimizer.lr=0.1", "model.dropout=0.2"]),
            record(overrides=[*common, "optimizer.lr=0.2"]),
        ]
    )
    text = printed(table)
    assert "optimizer.lr=0.1 model.dropout=0.2" in text
    assert "max_epochs" not in text
    table.write(tmp_path)
    assert "| optimizer.lr=0.2 |" in (tmp_path / "results.md").read_text()


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
    assert lines[0].count("|") == lines[3].count("|") == len(table.columns) + 1
    assert lines[2].startswith("| **time_machine** | **sample** | **lstm** |")
    assert "**4.000**" in lines[2]
