"""Division of a text into train, validation and test.

Running text is cut into contiguous pieces: otherwise the test would measure what stands near the
training text, a repeated chorus above all. Documents that have nothing to do with each other are
assigned to the splits at random, by a rule that does not depend on their order.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence

from rnnlm.options import OptionError

TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")

# The texts, or pieces of a text, in each split.
SplitTexts = dict[str, list[str]]


def refuse_nothing_to_train_on(
    validation: float, test: float, test_option: str = "data.test_fraction"
) -> None:
    """Check that the two held-out splits leave something to train on.

    Raises:
        OptionError: nothing is left to train on.
    """
    if validation + test >= 1:
        raise OptionError(
            "data.validation_fraction",
            f"with {test_option} it is {validation + test:g} of the text, none is left to train on",
        )


def contiguous(text: str, validation: float, test: float) -> SplitTexts:
    """Return train, then validation, then test, in reading order."""
    validation_start = math.floor(len(text) * (1 - (validation + test)))
    test_start = math.floor(len(text) * (1 - test))
    return {
        TRAIN: [text[:validation_start]],
        VALIDATION: [text[validation_start:test_start]],
        TEST: [text[test_start:]],
    }


def fold(text: str, folds: int, number: int, validation: float) -> SplitTexts:
    """Return a fold of a contiguous cross-validation, cut at line ends.

    The text is cut into `folds` blocks of about the same length. Block `number`, counted from 1, is
    test. Validation is the share `validation` of the text just before it, or just after the first
    block. The rest is train.
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


def assign_to_splits(
    documents: Sequence[str],
    validation: float,
    test: float,
    seed: int,
    groups: Sequence[int] | None = None,
) -> SplitTexts:
    """Assign documents to splits by a hash of their content and the seed.

    The split of a document depends on the set of documents and the seed, not on their order.

    Args:
        groups: the number of each document's group; None makes each a group of its own. A group
            stays together, at the place of its first document in the order of hashes. It goes to
            test if test then comes nearer to its wanted size. If not, the same holds for
            validation. All other groups go to train.
    """
    ranked = sorted(
        zip(documents, groups or range(len(documents)), strict=True),
        key=lambda pair: _rank(pair[0], str(seed)),
    )
    left = {TEST: round(len(ranked) * test), VALIDATION: round(len(ranked) * validation)}
    split_of_group: dict[int, str] = {}
    for group, size in Counter(group for _, group in ranked).items():  # in that order
        split = next((name for name in left if size <= 2 * left[name]), TRAIN)
        if split in left:
            left[split] -= size
        split_of_group[group] = split
    # Documents stay in the order of their hashes, so near-copies do not follow each other.
    pieces: SplitTexts = {TEST: [], VALIDATION: [], TRAIN: []}
    for document, group in ranked:
        pieces[split_of_group[group]].append(document)
    return pieces


def drawn(documents: Sequence[str], count: int) -> list[str]:
    """Return at most `count` documents, in their order, chosen by a hash of their content."""
    chosen = set(sorted(documents, key=lambda document: _rank(document, "drawn"))[:count])
    return [document for document in documents if document in chosen]


def _rank(document: str, salt: str) -> bytes:
    return hashlib.sha256(f"{salt}\n{document}".encode()).digest()


def _line_start(text: str, position: int) -> int:
    """Return the start of the first line at or after a position, or the end of the text."""
    if position <= 0:
        return 0
    newline = text.find("\n", position - 1)
    return len(text) if newline < 0 else newline + 1
