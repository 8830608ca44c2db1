"""Novels by word, segmented by jieba, after the corpus of Jin Yong's novels."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from rnnlm.data.advertisements import remove_advertisements
from rnnlm.data.batching import Batching
from rnnlm.data.corpus import Corpus, CorpusConfig
from rnnlm.data.segmentation import jieba_version, segment
from rnnlm.data.source import FULL, File
from rnnlm.data.splitting import Pieces, dealt
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
        pieces = dealt(texts, config.validation_fraction, config.test_fraction, seed=0)
        if not all(pieces.values()):
            raise OptionError(
                "data.split_by",
                f"novel needs more than {len(texts)} novels at these fractions; "
                "raise data.validation_fraction and data.test_fraction, or use proportion",
            )
        return pieces

    def tokenize(self, texts: Sequence[str]) -> list[list[str]]:
        """Words, line ends and indents."""
        return [_with_indents(words) for words in segment(texts, self._user_dict())]

    def tokens_depend_on(self) -> Any:
        """jieba, and the user's dictionary.

        Raises:
            OptionError: the user's dictionary cannot be read.
        """
        user_dict = self._user_dict()
        if user_dict is None:
            return jieba_version()
        return [jieba_version(), hashlib.sha256(user_dict).hexdigest()]

    def _user_dict(self) -> bytes | None:
        if self.config.user_dict is None:
            return None
        path = Path(self.config.user_dict).expanduser()
        try:
            content = path.read_bytes()
            content.decode("utf-8")
        except OSError as error:
            raise OptionError(
                "data.user_dict", f"{path} cannot be read ({error.strerror})"
            ) from error
        except UnicodeDecodeError as error:
            raise OptionError("data.user_dict", f"{path} is not UTF-8 text") from error
        return content


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
