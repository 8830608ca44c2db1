"""rnnlm/data/texts/splitting.py"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.data.texts.splitting import SPLITS, assign_to_splits, contiguous, fold

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
    assert assign_to_splits(documents, 0.1, 0.1, seed=1) == assign_to_splits(
        shuffled, 0.1, 0.1, seed=1
    )
    assert assign_to_splits(documents, 0.1, 0.1, seed=1) != assign_to_splits(
        documents, 0.1, 0.1, seed=2
    )


def test_every_document_is_in_one_split() -> None:
    documents = [f"poem {number}" for number in range(200)]
    pieces = assign_to_splits(documents, 0.1, 0.2, seed=0)
    assert sorted(chain(*pieces.values())) == sorted(documents)
    assert [len(pieces[name]) for name in SPLITS] == [140, 20, 40]


documents_with_groups = st.lists(st.integers(0, 8), max_size=60).map(
    lambda groups: {f"poem {number}": group for number, group in enumerate(groups)}
)


@given(documents_with_groups, st.floats(0.05, 0.4), st.floats(0.05, 0.4), st.randoms())
def test_a_group_is_in_one_split_whatever_the_order(
    groups: dict[str, int], validation: float, test: float, shuffle: random.Random
) -> None:
    documents = list(groups)
    pieces = assign_to_splits(documents, validation, test, 1, list(groups.values()))
    assert sorted(chain(*pieces.values())) == sorted(documents)
    splits = [{groups[document] for document in pieces[name]} for name in SPLITS]
    assert sum(map(len, splits)) == len(set(groups.values()))
    # Each split is in the order of the hashes: near-copies do not follow each other.
    alone = assign_to_splits(documents, validation, test, 1)
    ranked = [*alone["test"], *alone["validation"], *alone["train"]]
    for name in SPLITS:
        assert pieces[name] == [document for document in ranked if document in pieces[name]]
    # Numbers say which documents are together, and nothing else.
    shuffle.shuffle(documents)
    others = [100 - groups[document] for document in documents]
    assert assign_to_splits(documents, validation, test, 1, others) == pieces


@given(documents_with_groups, st.floats(0.05, 0.4), st.floats(0.05, 0.4))
def test_splits_are_as_large_as_asked_give_or_take_half_a_group(
    groups: dict[str, int], validation: float, test: float
) -> None:
    pieces = assign_to_splits(list(groups), validation, test, 1, list(groups.values()))
    largest = max(Counter(groups.values()).values(), default=0)
    for name, fraction in (("test", test), ("validation", validation)):
        assert len(pieces[name]) <= round(fraction * len(groups)) + largest / 2


@given(st.integers(0, 80), st.floats(0.05, 0.4), st.floats(0.05, 0.4), st.integers(0, 3))
def test_documents_without_near_copies_are_assigned_by_rank_alone(
    number: int, validation: float, test: float, seed: int
) -> None:
    documents = [f"poem {number}" for number in range(number)]
    pieces = assign_to_splits(documents, validation, test, seed)
    assert assign_to_splits(documents, validation, test, seed, range(number)) == pieces
    ranked = [document for name in ("test", "validation", "train") for document in pieces[name]]
    assert ranked == sorted(
        documents, key=lambda document: hashlib.sha256(f"{seed}\n{document}".encode()).digest()
    )
    num_test, num_validation = round(number * test), round(number * validation)
    assert len(pieces["test"]) == num_test
    assert len(pieces["validation"]) == min(num_validation, number - num_test)
