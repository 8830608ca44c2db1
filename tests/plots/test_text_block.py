"""rnnlm/plots/text_block.py"""

from __future__ import annotations

import pytest

from rnnlm.plots.text_block import block

NAME = "lstm+cache+kneser_ney-embed seed 1"


@pytest.mark.parametrize("width", [0.3, 0.8, 1.2, 2.0, 9.0])
def test_no_line_is_wider_than_asked_and_nothing_but_spaces_is_lost(width: float) -> None:
    broken = block(NAME, width=width)
    assert broken.width <= width
    assert broken.lettering.text.replace("\n", "").replace(" ", "") == NAME.replace(" ", "")


def test_a_name_is_broken_at_its_plus_signs_before_it_is_within_a_word() -> None:
    assert block(NAME, width=1.2).lettering.text == "lstm+cache+\nkneser_ney-embed\nseed 1"
