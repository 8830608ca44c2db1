"""Tokenized corpora on disk: a text is read, cleaned and segmented once.

The key of a corpus is a hash of everything that its tokens depend on. Its folder appears whole or
not at all, so any number of runs can share it. A SHA-256 stands beside all that is in it, and is
checked before anything is used. Runs go on without the cache if it cannot be used.
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
from pathlib import Path

import msgspec
import numpy as np
import pooch
import torch
from torch import Tensor

from rnnlm.data.tokens.tokenized import Split, TokenizedCorpus
from rnnlm.data.tokens.vocabulary import BEGIN_ID, Vocabulary
from rnnlm.files.atomic_write import discard, remove_leftovers, temporary_beside

log = logging.getLogger(__name__)

_META = "corpus.json"


class _Checked(msgspec.Struct):
    """The content of `corpus.json`: a corpus as JSON, and its SHA-256."""

    sha256: str
    corpus: msgspec.Raw


class _DamagedError(Exception):
    """The reason why an entry of the cache is not what was stored."""


def cache_directory() -> Path:
    """The folder of tokenized corpora, in `RNNLM_CACHE_DIR` or the user's own cache directory."""
    return Path(os.environ.get("RNNLM_CACHE_DIR") or pooch.os_cache("rnnlm")) / "tokens"


def load(key: str) -> TokenizedCorpus | None:
    """Return the corpus of a key; None if it is not in the cache as it was stored."""
    folder = cache_directory() / key
    if not _is_own_folder(folder.parent):
        return None
    remove_leftovers(folder.parent)
    if not os.path.lexists(folder):
        return None
    try:
        return _read(folder, key)
    except OSError as error:
        reason = f"{Path(error.filename or folder).name}: {error.strerror}"
    except (ValueError, KeyError, TypeError, EOFError, _DamagedError) as error:
        reason = str(error)
    log.warning("the cached corpus %s cannot be used (%s): it is made again", folder, reason)
    with contextlib.suppress(OSError):
        discard(folder)
    return None


def store(key: str, corpus: TokenizedCorpus) -> None:
    """Keep a corpus; if the cache cannot be written, the corpus is made again the next time."""
    folder = cache_directory() / key
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_own_folder(folder.parent):
            log.info("the corpus is not cached: %s is not your own folder", folder.parent)
            return
        temporary = temporary_beside(folder)
        temporary.mkdir(mode=0o700)
        try:
            _write(temporary, key, corpus)
            temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        # Another process may have been faster, which is as good.
        log.info("the corpus is not cached in %s (%s)", folder, error.strerror)


def _read(folder: Path, key: str) -> TokenizedCorpus:
    """Return the corpus in a folder; each part is checked before it is used."""
    if not _is_own_folder(folder):
        raise _DamagedError("it is not your own folder")
    checked = msgspec.json.decode((folder / _META).read_bytes(), type=_Checked)
    if hashlib.sha256(checked.corpus).hexdigest() != checked.sha256:
        raise _DamagedError(f"the SHA-256 of {_META} differs")
    stored = msgspec.json.decode(checked.corpus)
    if (other := stored.pop("key")) != key:
        raise _DamagedError(f"it is {other}")
    vocabulary = Vocabulary(stored["vocabulary"])
    splits = {
        name: Split(
            _read_ids(folder / f"{name}.npy", split["sha256"], len(vocabulary)),
            split["num_chars"],
            split["unknown_nats"],
            BEGIN_ID if vocabulary.has_documents else None,
        )
        for name, split in stored["splits"].items()
    }
    return TokenizedCorpus(**stored | {"splits": splits})


def _read_ids(path: Path, sha256: str, vocab_size: int) -> Tensor:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise _DamagedError(f"the SHA-256 of {path.name} differs")
    ids: np.ndarray = np.load(io.BytesIO(content), allow_pickle=False)
    if ids.dtype != np.int32 or ids.ndim != 1:
        raise _DamagedError(f"{path.name} holds no tokens")
    if len(ids) and not 0 <= ids.min() <= ids.max() < vocab_size:
        raise _DamagedError(f"{path.name} holds tokens that the vocabulary lacks")
    return torch.from_numpy(ids.astype(np.int64))


def _write(folder: Path, key: str, corpus: TokenizedCorpus) -> None:
    splits = {}
    for name, split in corpus.splits.items():
        array = io.BytesIO()
        np.save(array, split.ids_N.numpy().astype(np.int32), allow_pickle=False)
        content = array.getvalue()
        _write_synced(folder / f"{name}.npy", content)
        splits[name] = {
            "sha256": hashlib.sha256(content).hexdigest(),
            "num_chars": split.num_chars,
            "unknown_nats": split.unknown_nats,
        }
    stored = msgspec.json.encode({"key": key, **vars(corpus), "splits": splits})
    checked = _Checked(hashlib.sha256(stored).hexdigest(), msgspec.Raw(stored))
    _write_synced(folder / _META, msgspec.json.encode(checked))


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _is_own_folder(path: Path) -> bool:
    """Return True for a folder of this user, not a link, so that nobody else decides its content.

    It is False if nothing is there, or if it cannot be looked at.
    """
    try:
        found = path.lstat()
    except OSError:
        return False
    is_own = sys.platform == "win32" or found.st_uid == os.geteuid()
    return stat.S_ISDIR(found.st_mode) and is_own
