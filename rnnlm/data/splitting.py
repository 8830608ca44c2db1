"""How a text is divided into train, validation and test.

Text that is read from one end to the other is cut in contiguous pieces: what stands near what was
trained on, a repeated chorus above all, would otherwise be measured. Documents that have nothing to
do with each other are dealt out at random, by a rule that does not depend on their order.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence

from rnnlm.options import OptionError

TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")

# The pieces of text of each split.
Pieces = dict[str, list[str]]


def refuse_nothing_to_train_on(
    validation: float, test: float, test_option: str = "data.test_fraction"
) -> None:
    """The two held-out splits must leave something.

    Raises:
        OptionError: they do not.
    """
    if validation + test >= 1:
        raise OptionError(
            "data.validation_fraction",
            f"with {test_option} it is {validation + test:g} of the text, none is left to train on",
        )


def contiguous(text: str, validation: float, test: float) -> Pieces:
    """Train, then validation, then test, in reading order."""
    validation_start = math.floor(len(text) * (1 - (validation + test)))
    test_start = math.floor(len(text) * (1 - test))
    return {
        TRAIN: [text[:validation_start]],
        VALIDATION: [text[validation_start:test_start]],
        TEST: [text[test_start:]],
    }


def fold(text: str, folds: int, number: int, validation: float) -> Pieces:
    """Contiguous cross-validation, cut at line ends.

    The text is cut into `folds` blocks of about the same length. Block `number`, counted from 1, is
    test; the part before it (for the first block: after it), as long as `validation` of the text,
    is validation; the rest is train.
    """
    start = _line_start(text, len(text) * (number - 1) // folds)
    end = _line_start(text, len(text) * number // folds)
    length = round(len(text) * validation)
    if number == 1:
        validation_start, validation_end = end, _line_start(text, end + length)
    else:
        validation_start, validation_end = _line_start(text, max(start - length, 0)), start
    before, after = min(start, validation_start), max(end, validation_end)
    return {
        TRAIN: [piece for piece in (text[:before], text[after:]) if piece],
        VALIDATION: [text[validation_start:validation_end]],
        TEST: [text[start:end]],
    }


def dealt(
    documents: Sequence[str],
    validation: float,
    test: float,
    seed: int,
    groups: Sequence[int] | None = None,
) -> Pieces:
    """Documents dealt out by a hash of their content and the seed.

    Which split a document is in depends on the set of documents and the seed, not on their order.

    Args:
        groups: the number of each document's group, which is dealt out as a whole when the first
            of its members comes up: to test while that brings test nearer to its size, else to
            validation likewise, else to train. None is each document by itself.
    """
    ranked = sorted(
        zip(documents, groups or range(len(documents)), strict=True),
        key=lambda pair: _rank(pair[0], str(seed)),
    )
    left = {TEST: round(len(ranked) * test), VALIDATION: round(len(ranked) * validation)}
    split_of_group: dict[int, str] = {}
    for group, size in Counter(group for _, group in ranked).items():  # as they come up
        split = next((name for name in left if size <= 2 * left[name]), TRAIN)
        if split in left:
            left[split] -= size
        split_of_group[group] = split
    # In the order of their hashes, so that near-copies do not follow each other.
    pieces: Pieces = {TEST: [], VALIDATION: [], TRAIN: []}
    for document, group in ranked:
        pieces[split_of_group[group]].append(document)
    return pieces


def drawn(documents: Sequence[str], count: int) -> list[str]:
    """So many of the documents, or all, in their order; which follows from the set of them."""
    chosen = set(sorted(documents, key=lambda document: _rank(document, "drawn"))[:count])
    return [document for document in documents if document in chosen]


def _rank(document: str, salt: str) -> bytes:
    return hashlib.sha256(f"{salt}\n{document}".encode()).digest()


def _line_start(text: str, position: int) -> int:
    """The start of the first line at or after a position, or the end of the text."""
    if position <= 0:
        return 0
    newline = text.find("\n", position - 1)
    return len(text) if newline < 0 else newline + 1
