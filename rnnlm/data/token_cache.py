"""Tokenised corpora on disk: text is read, cleaned and segmented once.

A corpus is kept under a key of everything its tokens depend on, in a folder of its own that appears
whole or not at all, so any number of runs can share it.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pooch

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
    splits: dict[str, TokenisedSplit]


def cache_directory() -> Path:
    """Where tokenised corpora are kept: `RNNLM_CACHE_DIR`, or the user's own cache directory."""
    return Path(os.environ.get("RNNLM_CACHE_DIR") or pooch.os_cache("rnnlm")) / "tokens"


def load(key: str) -> TokenisedCorpus | None:
    """The corpus of a key, its arrays mapped from the disk; None where it is not in the cache."""
    folder = cache_directory() / key
    try:
        meta = json.loads((folder / _META).read_text(encoding="utf-8"))
        splits = {
            name: TokenisedSplit(ids=np.load(folder / f"{name}.npy", mmap_mode="r"), **fields)
            for name, fields in meta.pop("splits").items()
        }
        return TokenisedCorpus(splits=splits, **meta)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError, EOFError, OSError) as error:
        log.warning("the cached corpus %s is broken (%s) and is made again", folder, error)
        shutil.rmtree(folder, ignore_errors=True)
        return None


def store(key: str, corpus: TokenisedCorpus) -> None:
    """Keep a corpus; where the cache cannot be written, it is simply made again the next time."""
    folder = cache_directory() / key
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{key}-", dir=folder.parent))
    except OSError as error:
        log.info("the corpus is not cached in %s (%s)", folder.parent, error.strerror)
        return
    try:
        meta = asdict(corpus)
        for name, split in corpus.splits.items():
            np.save(temporary / f"{name}.npy", split.ids)
            del meta["splits"][name]["ids"]
        text = json.dumps(meta, ensure_ascii=False)
        (temporary / _META).write_text(text, encoding="utf-8")
        for path in temporary.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        temporary.chmod(0o755)
        temporary.rename(folder)
    except OSError as error:
        # Another process may have been faster, which is as good.
        log.info("the corpus is not cached in %s (%s)", folder, error.strerror)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
