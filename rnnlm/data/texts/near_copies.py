"""Documents that are nearly the same: variants of a poem, and long quotations.

Two documents are near-copies if they share at least half of the 5-grams of the one that has fewer.
The 5-grams are of letters, Chinese characters among them, and digits; marks, spaces and line ends
do not count. A group holds all near-copies of its members.

The search is exact: a sparse matrix of documents by 5-grams, times its transpose, counts what any
two documents share.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import scipy.sparse
from scipy.sparse.csgraph import connected_components
from tqdm import tqdm

from rnnlm.data.texts.splitting import SplitTexts, assign_to_splits

# Part of what decides the split of documents: change it when the rule above changes.
NEAR_COPY_RULE = "near-copies share half of their 5-grams"
_GRAM_LENGTH = 5
_LEAST_SHARED = 0.5
_NOT_COUNTED = re.compile(r"[\W_]+")
# Fills a document of fewer characters up to one 5-gram; no text holds this character.
_FILLING = "\0"
# Bounds the memory: about this many pairs of documents are compared at a time.
_COMPARISONS_AT_A_TIME = 5_000_000


def assign_near_copies_together(
    documents: Sequence[str], validation: float, test: float, seed: int
) -> tuple[SplitTexts, str]:
    """Assign documents to splits, near-copies to the same one; also return a note on them."""
    groups = near_copy_groups(documents).tolist()
    pieces = assign_to_splits(documents, validation, test, seed, groups)
    sizes = [size for size in Counter(groups).values() if size > 1]
    if not sizes:
        return pieces, "no document is a near-copy of another"
    alone = assign_to_splits(documents, validation, test, seed)
    moved = sum((Counter(pieces[name]) - Counter(alone[name])).total() for name in pieces)
    return pieces, (
        f"{sum(sizes):,} of {len(documents):,} documents are near-copies of others (share half of "
        f"their 5-grams): {len(sizes):,} groups, each in one split; {moved:,} documents are in "
        "another split than without this rule"
    )


def near_copy_groups(documents: Sequence[str]) -> np.ndarray:
    """Return the number of each document's group, (N,); near-copies have the same number."""
    total = len(documents)
    if total == 0:
        return np.empty(0, np.int32)
    has_gram = _grams_of_documents(documents)
    num_grams = np.diff(has_gram.indptr)
    # A 5-gram that only one document has makes no pair.
    num_documents = np.bincount(has_gram.indices, minlength=has_gram.shape[1])
    has_gram = has_gram[:, num_documents > 1]
    documents_with = has_gram.T.tocsr()
    comparisons = has_gram @ np.diff(documents_with.indptr)
    pairs = []
    with tqdm(
        total=total, desc="finding near-copies", unit="document", leave=False, disable=None
    ) as bar:
        for start, end in _blocks(comparisons):
            shared = (has_gram[start:end] @ documents_with).tocoo()
            first, second = shared.row + start, shared.col
            fewer = np.minimum(num_grams[first], num_grams[second])
            near = (first < second) & (shared.data >= _LEAST_SHARED * fewer)
            pairs.append(np.stack([first[near], second[near]]))
            bar.update(end - start)
    one, other = np.concatenate(pairs, axis=1)
    links = scipy.sparse.coo_array((np.ones(len(one), np.int8), (one, other)), (total, total))
    groups: np.ndarray = connected_components(links, directed=False)[1]
    return groups


def _grams_of_documents(documents: Sequence[str]) -> scipy.sparse.csr_array:
    """Return a matrix that is 1 where a document (row) has a 5-gram (column)."""
    texts = [_NOT_COUNTED.sub("", document) or document for document in documents]
    texts = [text.ljust(_GRAM_LENGTH, _FILLING) for text in texts]
    characters = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), "<u4")
    # Number the 1-grams, then the 2-, 4- and 5-grams, each made of two shorter ones.
    one = _numbered(characters, characters * 0)
    two = _numbered(one[:-1], one[1:])
    four = _numbered(two[:-2], two[2:])
    five = _numbered(four[:-1], one[4:])
    document = np.repeat(np.arange(len(texts), dtype=np.int32), [len(text) for text in texts])
    within = document[: 1 - _GRAM_LENGTH] == document[_GRAM_LENGTH - 1 :]
    rows, columns = document[: 1 - _GRAM_LENGTH][within], five[within]
    ones = np.ones(len(rows), np.int32)
    grams = scipy.sparse.csr_array((ones, (rows, columns)), (len(texts), int(five.max()) + 1))
    grams.sum_duplicates()
    grams.data[:] = 1
    return grams


def _numbered(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return a number for each pair, its rank among the different pairs."""
    pairs = left.astype(np.int64) * (int(right.max()) + 1) + right
    ranks: np.ndarray = np.unique(pairs, return_inverse=True)[1].astype(np.int32)
    return ranks


def _blocks(costs: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield ranges of rows whose costs add up to about the same."""
    block_of_row = np.cumsum(costs, dtype=np.int64) // _COMPARISONS_AT_A_TIME
    ends = [*(np.flatnonzero(np.diff(block_of_row)) + 1).tolist(), len(costs)]
    yield from zip([0, *ends[:-1]], ends, strict=True)
