"""rnnlm/data/splitting.py"""

from __future__ import annotations

import random
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.data.splitting import SPLITS, contiguous, dealt, fold

TEXT = "".join(f"line {number}\n" for number in range(100))


@given(st.text(), st.floats(0.01, 0.4), st.floats(0.01, 0.4))
def test_contiguous_pieces_are_the_text(text: str, validation: float, test: float) -> None:
    pieces = contiguous(text, validation, test)
    assert "".join(pieces[name][0] for name in SPLITS) == text
    assert abs(len(pieces["test"][0]) - test * len(text)) <= 1


@pytest.mark.parametrize("folds", [2, 3, 5, 10])
def test_every_line_is_tested_in_exactly_one_fold(folds: int) -> None:
    tested = "".join(fold(TEXT, folds, number, 0.1)["test"][0] for number in range(1, folds + 1))
    assert tested == TEXT


@pytest.mark.parametrize("number", range(1, 6))
def test_a_fold_shares_no_line_with_the_others(number: int) -> None:
    pieces = fold(TEXT, 5, number, 0.1)
    lines = {name: "".join(pieces[name]).splitlines() for name in SPLITS}
    assert sorted(chain(*lines.values())) == sorted(TEXT.splitlines())
    assert 8 <= len(lines["validation"]) <= 12
    assert 18 <= len(lines["test"]) <= 22


def test_which_split_a_document_is_in_does_not_depend_on_the_order_of_the_files() -> None:
    documents = [f"poem {number}" for number in range(200)]
    shuffled = random.Random(0).sample(documents, len(documents))
    assert dealt(documents, 0.1, 0.1, seed=1) == dealt(shuffled, 0.1, 0.1, seed=1)
    assert dealt(documents, 0.1, 0.1, seed=1) != dealt(documents, 0.1, 0.1, seed=2)


def test_every_document_is_in_one_split() -> None:
    documents = [f"poem {number}" for number in range(200)]
    pieces = dealt(documents, 0.1, 0.2, seed=0)
    assert sorted(chain(*pieces.values())) == sorted(documents)
    assert [len(pieces[name]) for name in SPLITS] == [140, 20, 40]
