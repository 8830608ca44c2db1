"""Novels by word, segmented by jieba, after the corpus of Jin Yong's novels."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from rnnlm.data.advertisements import remove_advertisements
from rnnlm.data.batching import Batching
from rnnlm.data.corpus import Corpus, CorpusConfig
from rnnlm.data.near_copies import RULE, dealt_together
from rnnlm.data.segmentation import jieba_identity, segment
from rnnlm.data.source import FULL, File
from rnnlm.data.splitting import Pieces
from rnnlm.data.token_cache import TokenisedCorpus
from rnnlm.data.user_dictionary import UserDictionary, read_user_dictionary, restored
from rnnlm.options import OptionError, option

# A list of titles that comes with some folders, and is no novel.
NOT_A_NOVEL = "inf.txt"
INDENT = "\u3000\u3000"


class SplitBy(Enum):
    """Where the held-out text comes from."""

    proportion = "proportion"  # the end of each novel
    novel = "novel"  # whole novels


@dataclass
class JinYongConfig(CorpusConfig):
    """Options of `data=jinyong`."""

    split_by: SplitBy = SplitBy.proportion
    # Words that jieba's dictionary lacks, names above all: a file with one a line.
    user_dict: str | None = option(None, affects_result=False)  # its content does


class JinYong(Corpus):
    """One novel after the other, each from `<bos>` to `<eos>`, by word.

    Line ends and the indents of paragraphs are tokens, so the joined tokens are the cleaned text.
    """

    Config = JinYongConfig
    config: JinYongConfig
    sample = "jinyong"

    def __init__(self, config: JinYongConfig, seed: int = 0) -> None:
        super().__init__(config, seed)
        self._found: set[str] = set()  # words of the user's dictionary that text was cut into

    @property
    def in_documents(self) -> bool:
        """Novels are documents, unless each of their paragraphs is to be one."""
        return self.config.batching is not Batching.documents

    def files(self) -> list[File]:
        """The novels, without a folder's list of them.

        Raises:
            OptionError: the full text was asked for; nobody may publish it.
        """
        if self.config.source == FULL:
            raise OptionError(
                "data.source",
                "full cannot be had, Jin Yong's novels are under copyright; "
                "give data.source=FOLDER with your own *.txt files, one a novel",
            )
        files = [file for file in super().files() if Path(file.name).name.lower() != NOT_A_NOVEL]
        if not files:
            raise OptionError("data.source", f"{self.config.source} holds no novel")
        return files

    def parse(self, files: Sequence[File]) -> list[str]:
        """The novels without advertisements."""
        read = [self.decode(file) for file in files]
        cleaned = [remove_advertisements(text) for text in read]
        novels = [text for text, _ in cleaned if text.strip()]
        if not novels:
            names = ", ".join(file.name for file in files[:3])
            raise OptionError("data.source", f"{names} holds no novel, only advertisements")
        count = sum(count for _, count in cleaned)
        # Line ends before and after a novel are no advertisement.
        characters = sum(len(text.strip("\n")) for text in read) - sum(
            len(text.strip("\n")) for text, _ in cleaned
        )
        self.notes = [
            f"{len(novels)} novels; {count} advertisements removed, {characters:,} characters"
        ]
        return novels

    def split(self, texts: Sequence[str]) -> Pieces:
        """The end of each novel, or whole novels.

        Raises:
            OptionError: there are too few novels to hold some out.
        """
        if self.config.split_by is SplitBy.proportion:
            return super().split(texts)
        config = self.config
        pieces, note = dealt_together(
            texts, config.validation_fraction, config.test_fraction, seed=0
        )
        if not all(pieces.values()):
            raise OptionError(
                "data.split_by",
                f"novel needs more than {len(texts)} novels at these fractions; "
                "raise data.validation_fraction and data.test_fraction, or use proportion",
            )
        self.notes.append(note)
        return pieces

    def tokenize(self, texts: Sequence[str]) -> list[list[str]]:
        """Words, line ends and indents.

        Raises:
            OptionError: the user's dictionary cannot be read.
        """
        segmented = segment(texts, self.user_dictionary.words)
        for words in segmented:
            self._found |= self.user_dictionary.taught.intersection(words)
        return [_with_indents(words) for words in segmented]

    def tokens_depend_on(self) -> Any:
        """Jieba with its dictionary, the user's dictionary, and the rule for copies of novels.

        Raises:
            OptionError: the user's dictionary cannot be read.
        """
        rule = RULE if self.config.split_by is SplitBy.novel else None
        return [jieba_identity(), self.user_dictionary.sha256, rule]

    @functools.cached_property
    def user_dictionary(self) -> UserDictionary:
        """The words of `data.user_dict`, read once.

        Raises:
            OptionError: they cannot be read.
        """
        if self.config.user_dict is None:
            return UserDictionary()
        return read_user_dictionary(self.config.user_dict)

    def kept(self) -> Any:
        """The words of the user's dictionary, whatever becomes of its file."""
        taught = self.config.user_dict is not None
        return [list(word) for word in self.user_dictionary.words] if taught else None

    def restore(self, kept: Any) -> None:
        """Take the words that a checkpoint has kept for those of the user's dictionary.

        Raises:
            ValueError: it has kept no such words.
        """
        if self.config.user_dict is not None:
            self.user_dictionary = restored(kept)

    def _tokenise(self, files: Sequence[File]) -> TokenisedCorpus:
        self._found = set()
        corpus = super()._tokenise(files)
        if self.config.user_dict is not None:
            dictionary = self.user_dictionary
            number, occur = len(dictionary.taught), len(self._found)
            told = corpus.notes if occur else corpus.warnings
            words = "1 word" if number == 1 else f"{number:,} words"
            told.append(f"data.user_dict: {words}, {occur:,} of them occur in the text")
            corpus.warnings += dictionary.warnings
        return corpus


def _with_indents(words: Sequence[str]) -> list[str]:
    """The two ideographic spaces of an indent as one token."""
    joined: list[str] = []
    pairs = iter(itertools.pairwise([*words, ""]))
    for word, following in pairs:
        if word + following == INDENT:
            joined.append(INDENT)
            next(pairs, None)
        else:
            joined.append(word)
    return joined
