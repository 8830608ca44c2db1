"""rnnlm/plots/layout.py"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from rnnlm.plots.layout import in_lines

NAME = "lstm+cache+kneser_ney-embed model.hidden_size=128"


@pytest.mark.parametrize("letters", [5, 12, 28, 99])
def test_no_line_is_longer_than_asked_and_nothing_but_spaces_is_lost(letters: int) -> None:
    lines = in_lines(NAME, letters).split("\n")
    assert all(len(line) <= letters for line in lines)
    assert "".join(lines).replace(" ", "") == NAME.replace(" ", "")


def test_a_name_is_broken_at_spaces_before_it_is_within_a_word() -> None:
    assert in_lines(NAME, 28) == "lstm+cache+kneser_ney-embed\nmodel.hidden_size=128"
    assert in_lines("lr=0.1 " + "x" * 30, 28) == f"lr=0.1\n{'x' * 28}\nxx"


def test_chinese_letters_are_two_wide() -> None:
    assert in_lines("红" * 30, 28) == "\n".join(["红" * 14, "红" * 14, "红" * 2])


@given(st.text())
def test_any_text_is_written_without_control_characters(text: str) -> None:
    lines = in_lines(text).split("\n")
    assert all(line.isprintable() or cell_len(line) for line in lines if line)
