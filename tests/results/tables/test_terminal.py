"""rnnlm/results/tables/terminal.py"""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from rnnlm.results.tables.run_table import runs_table
from rnnlm.results.tables.table import Table
from rnnlm.results.tables.terminal import columns_within, print_table
from tests.support.records import three_runs


def printed(table: Table, width: int = 200) -> str:
    console = Console(width=width, file=StringIO())
    print_table(table, console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_the_terminal_shows_every_run_and_why_one_failed() -> None:
    text = printed(runs_table(three_runs()))
    assert "* time_machine sample lstm" in text
    assert "123,456" in text
    assert "failed: time_machine gru-embed seed 1: It [b]." in text


def test_what_failed_stays_on_one_line() -> None:
    table = runs_table(three_runs())
    table.notes.append(f"failed: /{'a_folder/' * 20} has no checkpoints left")
    assert table.notes[-1] in printed(table, 60).splitlines()


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_no_value_is_cut_off_on_a_narrow_terminal(width: int) -> None:
    table = runs_table(three_runs())
    text = printed(table, width)
    assert "…" not in text
    assert all(len(line) <= width for line in text.splitlines())
    best = next(line for line in text.splitlines() if line.startswith("*"))
    assert "4.000" in best
    assert "5.000" in best
    all_fit = len(columns_within(table, width)) == len(table.headings)
    assert ("no room here for" in text) == (not all_fit)
