"""Tokenised corpora on disk: text is read, cleaned and segmented once.

A corpus is kept under a key of everything its tokens depend on, in a folder of its own that appears
whole or not at all, so any number of runs can share it. A SHA-256 stands beside all that is in it,
and nothing is used before that is checked. Where the cache cannot be had, runs go on without.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pooch

from rnnlm.files.atomic_write import discard, remove_leftovers, temporary_beside

log = logging.getLogger(__name__)

_META = "corpus.json"


@dataclass
class TokenisedSplit:
    """One of train, validation and test as token indices."""

    ids: np.ndarray  # (N,), int32
    num_chars: int  # characters of the text that the predicted tokens stand for
    unknown_nats: float  # what the unknown tokens cost to spell


@dataclass
class TokenisedCorpus:
    """All that training needs of a text."""

    text_sha256: str
    vocabulary: list[str]
    spelling: dict[str, float]  # what each character of an unknown token costs, in nats
    notes: list[str]  # what was left out or changed, and how often
    warnings: list[str]  # what the user is to look at
    splits: dict[str, TokenisedSplit]


class _StoredSplit(msgspec.Struct):
    """A split's line in `corpus.json`; its tokens are in a file of its own."""

    sha256: str  # of that file
    num_chars: int
    unknown_nats: float


class _Stored(msgspec.Struct):
    """A corpus in `corpus.json`."""

    key: str
    text_sha256: str
    vocabulary: list[str]
    spelling: dict[str, float]
    notes: list[str]
    warnings: list[str]
    splits: dict[str, _StoredSplit]


class _Checked(msgspec.Struct):
    """The whole of `corpus.json`: a corpus, and the SHA-256 of its JSON as it stands."""

    sha256: str
    corpus: msgspec.Raw


class _DamagedError(Exception):
    """An entry of the cache is not what was stored: why."""


def cache_directory() -> Path:
    """Where tokenised corpora are kept: `RNNLM_CACHE_DIR`, or the user's own cache directory."""
    return Path(os.environ.get("RNNLM_CACHE_DIR") or pooch.os_cache("rnnlm")) / "tokens"


def load(key: str) -> TokenisedCorpus | None:
    """The corpus of a key; None where it is not in the cache, or not as it was stored."""
    folder = cache_directory() / key
    if not _is_usable(folder.parent):
        return None
    remove_leftovers(folder.parent)
    if not os.path.lexists(folder):
        return None
    try:
        return _read(folder, key)
    except OSError as error:
        reason = f"{Path(error.filename or folder).name}: {error.strerror}"
    except (ValueError, EOFError, _DamagedError) as error:  # msgspec's errors are ValueErrors
        reason = str(error)
    log.warning("the cached corpus %s cannot be used (%s): it is made again", folder, reason)
    with contextlib.suppress(OSError):
        discard(folder)
    return None


def store(key: str, corpus: TokenisedCorpus) -> None:
    """Keep a corpus; where the cache cannot be written, it is simply made again the next time."""
    folder = cache_directory() / key
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_usable(folder.parent):
            log.info("the corpus is not cached: %s is not your own folder", folder.parent)
            return
        with _temporary_folder_beside(folder) as temporary:
            _write(temporary, key, corpus)
            temporary.rename(folder)
    except OSError as error:
        # Another process may have been faster, which is as good.
        log.info("the corpus is not cached in %s (%s)", folder, error.strerror)


def _read(folder: Path, key: str) -> TokenisedCorpus:
    """The corpus in a folder, each part checked before it is used."""
    if not _is_own_folder(folder):
        raise _DamagedError("it is not your own folder")
    checked = msgspec.json.decode((folder / _META).read_bytes(), type=_Checked)
    if hashlib.sha256(checked.corpus).hexdigest() != checked.sha256:
        raise _DamagedError(f"the SHA-256 of {_META} differs")
    stored = msgspec.json.decode(checked.corpus, type=_Stored)
    if stored.key != key:
        raise _DamagedError(f"it is {stored.key}")
    splits = {
        name: TokenisedSplit(
            _read_ids(folder / f"{name}.npy", split.sha256, len(stored.vocabulary)),
            split.num_chars,
            split.unknown_nats,
        )
        for name, split in stored.splits.items()
    }
    return TokenisedCorpus(
        stored.text_sha256,
        stored.vocabulary,
        stored.spelling,
        stored.notes,
        stored.warnings,
        splits,
    )


def _read_ids(path: Path, sha256: str, vocab_size: int) -> np.ndarray:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise _DamagedError(f"the SHA-256 of {path.name} differs")
    ids: np.ndarray = np.load(io.BytesIO(content), allow_pickle=False)
    if ids.dtype != np.int32 or ids.ndim != 1:
        raise _DamagedError(f"{path.name} holds no tokens")
    if len(ids) and not 0 <= ids.min() <= ids.max() < vocab_size:
        raise _DamagedError(f"{path.name} holds tokens that the vocabulary lacks")
    return ids


def _write(folder: Path, key: str, corpus: TokenisedCorpus) -> None:
    splits = {}
    for name, split in corpus.splits.items():
        array = io.BytesIO()
        np.save(array, split.ids.astype(np.int32), allow_pickle=False)
        content = array.getvalue()
        _write_synced(folder / f"{name}.npy", content)
        sha256 = hashlib.sha256(content).hexdigest()
        splits[name] = _StoredSplit(sha256, split.num_chars, split.unknown_nats)
    stored = msgspec.json.encode(
        _Stored(
            key,
            corpus.text_sha256,
            corpus.vocabulary,
            corpus.spelling,
            corpus.notes,
            corpus.warnings,
            splits,
        )
    )
    checked = _Checked(hashlib.sha256(stored).hexdigest(), msgspec.Raw(stored))
    _write_synced(folder / _META, msgspec.json.encode(checked))


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def _temporary_folder_beside(path: Path) -> Iterator[Path]:
    """Make a folder of this process beside the path; it is removed if it is still there."""
    temporary = temporary_beside(path)
    temporary.mkdir(mode=0o700)
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _is_own_folder(path: Path) -> bool:
    """Whether it is a folder, and no link, of this user: nobody else decides what is in it.

    Raises:
        OSError: there is nothing, or it cannot be looked at.
    """
    found = path.lstat()
    is_own = sys.platform == "win32" or found.st_uid == os.geteuid()
    return stat.S_ISDIR(found.st_mode) and is_own


def _is_usable(path: Path) -> bool:
    """Whether it is a folder of this user, as far as can be seen."""
    try:
        return _is_own_folder(path)
    except OSError:
        return False
