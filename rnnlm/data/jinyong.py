"""Novels by word, segmented by jieba, after the corpus of Jin Yong's novels."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from rnnlm.data.batching import Batching
from rnnlm.data.corpus import Corpus, CorpusConfig
from rnnlm.data.texts.advertisements import remove_advertisements
from rnnlm.data.texts.near_copies import NEAR_COPY_RULE, assign_near_copies_together
from rnnlm.data.texts.source import FULL, File, SourceError
from rnnlm.data.texts.splitting import SplitTexts
from rnnlm.data.tokens.segmentation import jieba_identity, segment
from rnnlm.data.tokens.user_dictionary import UserDictionary, read_user_dictionary, restored
from rnnlm.options import OptionError, option

# A list of titles, not a novel, that comes with some folders.
NOT_A_NOVEL = "inf.txt"
INDENT = "\u3000\u3000"


class SplitBy(Enum):
    """The source of the held-out text."""

    proportion = "proportion"  # the end of each novel
    novel = "novel"  # whole novels


@dataclass
class JinYongConfig(CorpusConfig):
    """Options of `data=jinyong`."""

    split_by: SplitBy = SplitBy.proportion
    # A file of words that jieba's dictionary lacks, names above all, one a line.
    user_dict: str | None = option(None, affects_result=False)  # its content does


class JinYong(Corpus):
    """One novel after the other, each from `<bos>` to `<eos>`, by word.

    Line ends and the indents of paragraphs are tokens, so the joined tokens are the cleaned text.
    """

    Config = JinYongConfig
    config: JinYongConfig
    sample = "jinyong"

    def __init__(self, config: JinYongConfig) -> None:
        super().__init__(config)
        self._found: set[str] = set()  # words of the user's dictionary that occur

    @property
    def texts_are_documents(self) -> bool:
        """Return True, unless each paragraph is to be a document."""
        return self.config.batching is not Batching.documents

    def files(self) -> list[File]:
        """Return the novels, without the list of titles."""
        if self.config.source == FULL:
            raise SourceError(
                "full cannot be had, Jin Yong's novels are under copyright; "
                "give data.source=FOLDER with your own *.txt files, one a novel"
            )
        files = [file for file in super().files() if Path(file.name).name.lower() != NOT_A_NOVEL]
        if not files:
            raise SourceError(f"{self.config.source} holds no novel")
        return files

    def parse(self, files: Sequence[File]) -> list[str]:
        """Return the novels without advertisements."""
        read = [self.decode(file) for file in files]
        cleaned = [remove_advertisements(text) for text in read]
        novels = [text for text, _ in cleaned if text.strip()]
        if not novels:
            names = ", ".join(file.name for file in files[:3])
            raise SourceError(f"{names} holds no novel, only advertisements")
        count = sum(count for _, count in cleaned)
        # Line ends before and after a novel do not count.
        characters = sum(
            len(text.strip("\n")) - len(left.strip("\n"))
            for text, (left, _) in zip(read, cleaned, strict=True)
        )
        self.notes = [
            f"{len(novels)} novels; {count} advertisements removed, {characters:,} characters"
        ]
        return novels

    def split(self, texts: Sequence[str]) -> SplitTexts:
        """Hold out the end of each novel, or whole novels."""
        if self.config.split_by is SplitBy.proportion:
            return super().split(texts)
        config = self.config
        pieces, note = assign_near_copies_together(
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
        """Return words, line ends and indents."""
        segmented = segment(texts, self.user_dictionary.words)
        for words in segmented:
            self._found |= self.user_dictionary.added_words.intersection(words)
        return [_with_indents(words) for words in segmented]

    def tokens_depend_on(self) -> Any:
        """Return jieba's identity, the user's dictionary, and the rule for copies of novels."""
        rule = NEAR_COPY_RULE if self.config.split_by is SplitBy.novel else None
        return [jieba_identity(), self.user_dictionary.sha256, rule]

    @functools.cached_property
    def user_dictionary(self) -> UserDictionary:
        """The words of `data.user_dict`.

        Raises:
            OptionError: the file cannot be read.
        """
        if self.config.user_dict is None:
            return UserDictionary()
        return read_user_dictionary(self.config.user_dict)

    def kept(self) -> Any:
        """Return the words of the user's dictionary, so that its file is not needed again."""
        if self.config.user_dict is None:
            return None
        return [list(word) for word in self.user_dictionary.words]

    def restore(self, kept: Any) -> None:
        """Take over the words of the user's dictionary that a checkpoint has kept."""
        if self.config.user_dict is not None:
            self.user_dictionary = restored(kept)

    def after_tokenizing(self) -> None:
        """Note how many words of the user's dictionary occur, and warn of lines without effect."""
        if self.config.user_dict is not None:
            number, occurring = len(self.user_dictionary.added_words), len(self._found)
            words = "1 word" if number == 1 else f"{number:,} words"
            said = self.notes if occurring else self.warnings
            said.append(f"data.user_dict: {words}, {occurring:,} of them occur in the text")
            self.warnings += self.user_dictionary.warnings


def _with_indents(words: Sequence[str]) -> list[str]:
    """Join the two ideographic spaces of an indent into one token."""
    joined: list[str] = []
    pairs = iter(itertools.pairwise([*words, ""]))
    for word, following in pairs:
        if word + following == INDENT:
            joined.append(INDENT)
            next(pairs, None)
        else:
            joined.append(word)
    return joined
