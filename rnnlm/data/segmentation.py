"""Chinese text to words by jieba, on all cores.

jieba looks at one run of Chinese characters at a time and never across a line end, so text is cut
at line ends and the pieces are segmented side by side; the words are those of a single process.
"""

from __future__ import annotations

import io
import logging
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

import jieba
from tqdm import tqdm

# One long text travels between processes much faster than many short ones.
_SEPARATOR = "\0"
# Below this, starting processes costs about as much as it saves.
_WORTH_A_PROCESS = 2**21
_CHUNK_CHARS = 100_000

# A process loads its dictionaries once: the tokenizer, and the words it has been taught.
_loaded: tuple[jieba.Tokenizer, bytes | None] | None = None


def segment(texts: Sequence[str], user_dict: bytes | None = None) -> list[list[str]]:
    """The words of each text; joined, they are the text.

    Args:
        user_dict: the content of a file of words that the dictionary lacks, one a line, as jieba
            reads it.
    """
    chunks: list[str] = []
    chunks_of_text: list[int] = []
    for text in texts:
        before = len(chunks)
        chunks += chunked(text)
        chunks_of_text.append(len(chunks) - before)
    words = iter(_segment_chunks(chunks, user_dict))
    return [[word for _ in range(count) for word in next(words)] for count in chunks_of_text]


def chunked(text: str) -> Iterator[str]:
    """The text in pieces of whole lines."""
    start = 0
    while start < len(text):
        end = text.find("\n", start + _CHUNK_CHARS)
        end = len(text) if end < 0 else end + 1
        yield text[start:end]
        start = end


def jieba_version() -> str:
    """Part of what the words depend on."""
    return str(jieba.__version__)


def _segment_chunks(chunks: list[str], user_dict: bytes | None) -> Iterator[list[str]]:
    total = sum(map(len, chunks))
    bar = tqdm(
        total=total,
        desc="segmenting",
        unit="char",
        unit_scale=True,
        leave=False,
        disable=None if total > _WORTH_A_PROCESS else True,
    )
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    with bar:
        if total < _WORTH_A_PROCESS or cores == 1:
            _start(user_dict)
            for chunk in chunks:
                yield _words(chunk)
                bar.update(len(chunk))
            return
        # Spawned and not forked: PyTorch's threads do not survive a fork.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(cores, context, _start, (user_dict,)) as pool:
            for chunk, words in zip(chunks, pool.map(_words_joined, chunks), strict=True):
                yield words if isinstance(words, list) else words.split(_SEPARATOR)
                bar.update(len(chunk))


def _start(user_dict: bytes | None) -> None:
    """Load the dictionaries, in each process, unless they are the ones that it has loaded."""
    global _loaded
    if _loaded is not None and _loaded[1] == user_dict:
        return
    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    tokenizer.initialize()
    if user_dict is not None:
        tokenizer.load_userdict(io.BytesIO(user_dict))
    _loaded = tokenizer, user_dict


def _words(chunk: str) -> list[str]:
    assert _loaded is not None
    return _loaded[0].lcut(chunk)  # type: ignore[no-any-return]


def _words_joined(chunk: str) -> str | list[str]:
    words = _words(chunk)
    return words if _SEPARATOR in chunk else _SEPARATOR.join(words)
