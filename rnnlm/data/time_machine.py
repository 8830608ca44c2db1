"""*The Time Machine* by H. G. Wells, or any English text, by character or by word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from rnnlm.data.running_text import RunningText, RunningTextConfig
from rnnlm.data.source import PublishedFile


class Normalize(Enum):
    """What becomes of the characters before they are counted."""

    none = "none"
    letters = "letters"


class Level(Enum):
    """What a token is."""

    char = "char"
    word = "word"


# A word with the space before it, so that joined words are the text again; else one character.
WORD = re.compile(r" ?[^\W\d_]+(?:'[^\W\d_]+)*| ?\d+|.", re.DOTALL)


@dataclass
class TimeMachineConfig(RunningTextConfig):
    """Options of `data=time_machine`."""

    normalize: Normalize = Normalize.none
    level: Level = Level.char


class TimeMachine(RunningText):
    """An English text.

    `normalize=none` keeps the text as it is. `normalize=letters` lower-cases it and makes one space
    of every run of characters that are not a–z: the convention of Zhang et al., *Dive into Deep
    Learning*, section 9.2. Characters of the original are what bits per character are counted by.
    """

    Config = TimeMachineConfig
    config: TimeMachineConfig
    sample = "time_machine.txt"
    published = (
        PublishedFile(
            name="timemachine.txt",
            address="http://d2l-data.s3-accelerate.amazonaws.com/timemachine.txt",
            sha256="8424dbd9532ac81f7e5f0b6add90e6952baea29158309d7d1bf3884f4e12c516",
        ),
    )

    def normalised(self, texts: Sequence[str]) -> Sequence[str]:
        """By `normalize`."""
        if self.config.normalize is Normalize.letters:
            return [re.sub("[^a-z]+", " ", text.lower()) for text in texts]
        return texts

    def tokenize(self, texts: Sequence[str]) -> list[list[str]]:
        """Characters or words."""
        texts = self.normalised(texts)
        if self.config.level is Level.word:
            return [WORD.findall(text) for text in texts]
        return [list(text) for text in texts]

    @property
    def alphabet(self) -> str | None:
        """The 27 letters."""
        letters = self.config.normalize is Normalize.letters and self.config.level is Level.char
        return " abcdefghijklmnopqrstuvwxyz" if letters else None
