"""Small corpora and tokenizers of every kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnnlm.data import corpora
from rnnlm.data.batching import Batching
from rnnlm.data.corpus import Corpus, CorpusConfig
from rnnlm.data.preparation import PreparedCorpus, prepare
from rnnlm.data.texts.source import File
from rnnlm.data.tokenizer import Tokenizer
from rnnlm.data.tokens.spelling import ESCAPE, Spelling
from rnnlm.data.tokens.vocabulary import UNKNOWN, Vocabulary


class Letters(Corpus):
    """A text given as it is, without a file."""

    text = "abcdefghij" * 100
    parsed = 0

    def files(self) -> list[File]:
        return [File("letters.txt", self.text.encode())]

    def parse(self, files: Sequence[File]) -> list[str]:
        type(self).parsed += 1
        return [files[0].content.decode()]


def letters(text: str = Letters.text, **options: object) -> PreparedCorpus:
    """Return a text by character."""
    defaults = {"name": "letters", "batch_size": 2, "seq_len": 4}
    corpus = Letters(CorpusConfig(**{**defaults, **options}))  # type: ignore[arg-type]
    corpus.text = text
    return prepare(corpus)


def named(name: str, **options: Any) -> Corpus:
    """Return the corpus of that name."""
    kind = corpora()[name]
    return kind(kind.Config(name=name, **options))


def prepared(name: str, **options: Any) -> PreparedCorpus:
    """Prepare the corpus of that name."""
    return prepare(named(name, **options))


def sample(name: str, batching: Batching = Batching.stream) -> PreparedCorpus:
    """A corpus of the package's own text."""
    return prepared(name, batching=batching, batch_size=8)


def from_file(path: Path, batching: Batching = Batching.stream) -> PreparedCorpus:
    """A user's text by character."""
    return prepared("time_machine", source=str(path), batching=batching, batch_size=1, seq_len=4)


def untrained(corpus: Corpus) -> Tokenizer:
    """Return a tokenizer that knows no token, to test how a corpus cuts a text."""
    return Tokenizer(corpus, Vocabulary([UNKNOWN]), Spelling({ESCAPE: 1.0}))
