"""The tokenizer of a corpus: text to tokens to indices. Checkpoints keep it, without the text."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import torch

from rnnlm.data.batching import Batching
from rnnlm.data.corpus import Corpus
from rnnlm.data.encoding import check_encoding, is_unicode
from rnnlm.data.texts.source import read_file
from rnnlm.data.tokens.spelling import ESCAPE, Spelling
from rnnlm.data.tokens.tokenized import Split
from rnnlm.data.tokens.vocabulary import BEGIN, BEGIN_ID, END, UNKNOWN_ID, Vocabulary
from rnnlm.options import OptionError


class Tokens(NamedTuple):
    """The tokens of some texts, in reading order."""

    tokens: list[str]  # with `<bos>` and `<eos>` if the texts are documents
    num_chars: int  # characters of the text that the predicted tokens stand for


class Tokenizer:
    """The tokens of any text and their indices, without the text that they were learned from.

    Args:
        corpus: its hooks read, clean and cut a text.
    """

    def __init__(self, corpus: Corpus, vocabulary: Vocabulary, spelling: Spelling) -> None:
        self.corpus, self.vocabulary, self.spelling = corpus, vocabulary, spelling

    @classmethod
    def restored(
        cls, corpus: Corpus, vocabulary: list[str], spelling: dict[str, float], kept: Any
    ) -> Self:
        """Return the tokenizer that a checkpoint has kept.

        Raises:
            ValueError: the parts do not fit one another.
        """
        corpus.restore(kept)
        tokenizer = cls(corpus, Vocabulary(vocabulary), Spelling(spelling))
        "".join(vocabulary).encode()  # fails on half of a surrogate pair, which is no text
        if ESCAPE not in spelling:
            raise ValueError("its spelling costs have no entry for unseen characters")
        if not all(map(math.isfinite, spelling.values())):
            raise ValueError("a cost of spelling is not finite")
        if tokenizer.vocabulary.has_documents != has_documents(corpus):
            raise ValueError(
                "its vocabulary and data.batching differ in whether texts are documents"
            )
        if len(vocabulary) <= (3 if tokenizer.vocabulary.has_documents else 1):
            raise ValueError("its vocabulary names no token")
        return tokenizer

    def kept(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of the tokenizer, besides the options of its corpus."""
        return {
            "vocabulary": self.vocabulary.tokens,
            "spelling": self.spelling.costs,
            "corpus": self.corpus.kept(),
        }

    def in_corpus_script(self, text: str, option: str) -> str:
        """Return a text that a user typed, converted to the script and the marks of the corpus.

        Args:
            option: the name of the option that holds the text, for messages.

        Raises:
            OptionError: the text holds bytes that are not text.
        """
        try:
            text.encode()
        except UnicodeEncodeError as error:  # Python passes on an argument that is not UTF-8
            raise OptionError(option, "it is not text in UTF-8") from error
        return self.corpus.in_corpus_script(text, self.vocabulary)

    def prompt_tokens(self, text: str) -> list[str]:
        """Return the tokens of a text that a user typed as a prompt.

        Raises:
            OptionError: it holds bytes that are not text.
        """
        text = self.in_corpus_script(text.replace("\r\n", "\n").replace("\r", "\n"), "prompt")
        return [
            token for tokens in self.corpus.tokenize([text] if text else []) for token in tokens
        ]

    def read_file(self, path: Path, encoding: str | None = None) -> Split:
        """Return any file as token indices, cleaned and tokenized as the corpus' own text is.

        All of it is taken: options that limit a corpus, such as `data.max_chars` or `data.form`,
        do not apply, and a poem that occurs twice is kept twice.

        Args:
            encoding: None takes UTF-8 if the file is that, else `data.encoding` if the corpus has
                one, and else recognises the encoding.

        Raises:
            OptionError: the file cannot be read, is larger than 1 GiB or not a text of this
                corpus, or no text is left of it.
        """
        # The notes that reading takes are not about the corpus' own text.
        reader = copy.copy(self.corpus)
        reader.decoded_files = []
        try:
            file = read_file(path)
            if encoding is not None:
                check_encoding(encoding)
            elif not is_unicode(file.content):
                encoding = self.corpus.config.encoding
            reader.config = replace(self.corpus.config, encoding=encoding)
            texts = reader.parse_file(file)
        except OptionError as error:
            # The error names the option of the corpus' own text; here the file is an argument.
            names = {"data.source": "text", "data.encoding": "encoding"}
            if error.option not in names:
                raise
            problem = error.problem.replace("data.encoding=", "--encoding=")
            raise OptionError(names[error.option], problem) from error
        if not any(map(str.strip, texts)):
            raise OptionError("text", f"no text is left of {path.name}")
        tokens = tokens_of(self.corpus, documents_of(self.corpus, texts))
        return self.encode(tokens)

    def encode(self, tokens: Tokens) -> Split:
        """Return tokens as indices, and what it costs to spell the predicted unknown ones."""
        ids = self.vocabulary.encode(tokens.tokens)
        # The first token is given, and not predicted.
        unknown = [tokens.tokens[place] for place in np.flatnonzero(ids == UNKNOWN_ID) if place]
        return Split(
            torch.from_numpy(ids.astype(np.int64)),
            tokens.num_chars,
            float(sum(map(self.spelling.nats, unknown))),
            BEGIN_ID if self.vocabulary.has_documents else None,
        )


def has_documents(corpus: Corpus) -> bool:
    """Return True if texts are documents, each between `<bos>` and `<eos>`."""
    return corpus.texts_are_documents or corpus.config.batching is Batching.documents


def documents_of(corpus: Corpus, texts: Sequence[str]) -> list[str]:
    """Return the texts, or their lines that are not empty if each line is to be a document."""
    if corpus.texts_are_documents or not has_documents(corpus):
        return list(texts)
    return [line for text in texts for line in text.split("\n") if line]


def tokens_of(corpus: Corpus, texts: Sequence[str]) -> Tokens:
    """Return the tokens of documents, each between `<bos>` and `<eos>`, or of a running text."""
    num_chars = sum(map(len, texts))
    tokens: list[str] = []
    if has_documents(corpus):
        for text in corpus.tokenize(texts):
            tokens += [BEGIN, *text, END]
        # A document's end is one character more: the line end that would stand there.
        return Tokens(tokens, num_chars + len(texts))
    for text in corpus.tokenize(texts):
        tokens += text
    # The first token is given, and not predicted.
    return Tokens(tokens, num_chars - len(tokens[0]) if tokens else num_chars)
