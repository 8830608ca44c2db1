"""Chinese text to words by jieba, on all cores.

jieba looks at one stretch of Chinese characters, letters and digits at a time, and never across
another character. So text is cut into chunks between stretches, which several processes segment;
the words are those of a single process. A stretch of more than 5,000 characters is cut every 5,000,
since jieba's time and memory are quadratic in its length.

Every process reads jieba's dictionary from its package, which takes half a second. The cache that
jieba keeps in the common temporary folder is neither read nor written: anybody could put one there.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import multiprocessing
import os
import re
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import jieba
from jieba import finalseg
from tqdm import tqdm

from rnnlm.options import OptionError
from rnnlm.signals.exit_status import TERMINATED_STATUS
from rnnlm.signals.handlers import ignore_interrupts

# The characters of words to jieba, for the [] of a regular expression.
IN_WORDS = r"\u4e00-\u9fd5a-zA-Z0-9+#&._%\-"
LONGEST_STRETCH = 5_000
# Words travel between processes joined by it: one long text is much faster than many short ones.
_SEPARATOR = "\0"
# For fewer characters, starting processes costs as much as it saves.
_WORTH_A_PROCESS = 2**21
_CHUNK_CHARS = 100_000
# A shorter wait needs no bar.
_SECONDS_WITHOUT_BAR = 2.0

# Words of the user, each with its frequency; None is the least that makes it a word.
Words = Sequence[tuple[str, int | None]]


class JiebaTokenizer(jieba.Tokenizer):  # type: ignore[misc]
    """jieba's tokenizer with the dictionary of its package, which it reads itself."""

    initialized: bool

    def initialize(self, dictionary: str | None = None) -> None:
        """Read the dictionary, once, without jieba's cache."""
        with self.lock:
            if not self.initialized:
                self.FREQ, self.total = self.gen_pfdict(self.get_dict_file())
                self.initialized = True


# The tokenizer of this process, and the user's words that it knows.
_loaded: tuple[JiebaTokenizer, Words] | None = None


def segment(texts: Sequence[str], user_words: Words = ()) -> list[list[str]]:
    """Return the words of each text; joined, they are the text.

    Args:
        user_words: words that are added to the dictionary of jieba, in this order.

    Raises:
        OptionError: a process that segments was killed.
    """
    chunks = [list(chunked(text)) for text in texts]
    words = _segment_chunks(list(itertools.chain(*chunks)), user_words)
    return [[word for _ in text_chunks for word in next(words)] for text_chunks in chunks]


def chunked(text: str) -> Iterator[str]:
    """Yield the text in chunks that end between stretches, or within one that is too long."""
    start = 0
    for end in _ends_of_stretches(text):
        if end - start >= _CHUNK_CHARS or end == len(text):
            yield text[start:end]
            start = end


def jieba_identity() -> list[str]:
    """Return what the words depend on: jieba's version, and the SHA-256 of its dictionary."""
    return [str(jieba.__version__), _dictionary_sha256()]


@functools.cache
def _dictionary_sha256() -> str:
    with jieba.Tokenizer().get_dict_file() as file:
        return hashlib.sha256(file.read()).hexdigest()


def _ends_of_stretches(text: str) -> Iterator[int]:
    """Yield the end of each stretch of characters of words, and of other characters."""
    size = f"{{1,{LONGEST_STRETCH}}}"
    stretches = re.compile(rf"[{IN_WORDS}]{size}|(?:\r\n|[^{IN_WORDS}]){size}")
    return (found.end() for found in stretches.finditer(text))


def _segment_chunks(chunks: list[str], user_words: Words) -> Iterator[list[str]]:
    # Imported here, because the processes that segment start faster without its PyTorch.
    from rnnlm.hardware import visible_cores

    total = sum(map(len, chunks))
    bar = tqdm(
        total=total,
        desc="segmenting",
        unit="char",
        unit_scale=True,
        leave=False,
        disable=None,
        delay=_SECONDS_WITHOUT_BAR if total < _WORTH_A_PROCESS else 0,
    )
    cores = len(visible_cores())
    with bar:
        if total < _WORTH_A_PROCESS or cores == 1:
            _load(user_words)
            segmented: Iterable[list[str] | str] = map(_words, chunks)
        else:
            segmented = _side_by_side(chunks, user_words, cores)
        for chunk, words in zip(chunks, segmented, strict=True):
            yield words if isinstance(words, list) else words.split(_SEPARATOR)
            bar.update(len(chunk))


def _side_by_side(chunks: list[str], user_words: Words, cores: int) -> Iterator[list[str] | str]:
    # Not forked: PyTorch's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(cores, context, _start_worker, (user_words,)) as pool:
            with _without_interrupts():
                segmented = pool.map(_words_joined, chunks)
            yield from segmented
    except BrokenProcessPool as error:
        raise OptionError(
            "data.source",
            "a process that cuts the text into words was killed, as the system does where memory "
            "runs out; free some, or give a smaller text",
        ) from error


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Block Ctrl-C while processes start.

    They inherit the block, so Ctrl-C, which goes to all processes of a terminal, ends none of them
    while it still imports.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_worker(user_words: Words) -> None:
    """Begin the life of a process that segments: it ends with the one that started it."""
    ignore_interrupts()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _load(user_words)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(TERMINATED_STATUS)


def _load(user_words: Words) -> None:
    """Load the dictionaries, unless this process has loaded the same."""
    global _loaded
    if _loaded is not None and _loaded[1] == user_words:
        return
    # jieba keeps the words that were taken out of a dictionary for all of its tokenizers.
    finalseg.Force_Split_Words.clear()
    tokenizer = JiebaTokenizer()
    tokenizer.initialize()
    for word, frequency in user_words:
        tokenizer.add_word(word, frequency)
    _loaded = tokenizer, user_words


def _words(chunk: str) -> list[str]:
    assert _loaded is not None
    return _loaded[0].lcut(chunk)  # type: ignore[no-any-return]


def _words_joined(chunk: str) -> str | list[str]:
    words = _words(chunk)
    return words if _SEPARATOR in chunk else _SEPARATOR.join(words)
