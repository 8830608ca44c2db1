"""*The Time Machine* by H. G. Wells, or any English text, by character or by word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from rnnlm.data.running_text import RunningText, RunningTextConfig


class Normalize(Enum):
    """The characters that are predicted: as they are, or only letters a–z and spaces."""

    none = "none"
    letters = "letters"


class Level(Enum):
    """The unit of a token."""

    char = "char"
    word = "word"


# A word with the space before it, so that joined words are the text again, or one character.
WORD = re.compile(r" ?[^\W\d_]+(?:'[^\W\d_]+)*| ?\d+|.", re.DOTALL)


@dataclass
class TimeMachineConfig(RunningTextConfig):
    """Options of `data=time_machine`."""

    normalize: Normalize = Normalize.none
    level: Level = Level.char


class TimeMachine(RunningText):
    """An English text.

    `normalize=none` keeps the text as it is. `normalize=letters` lower-cases it and replaces each
    sequence of characters that are not a–z by one space: the convention of Zhang et al., *Dive into
    Deep Learning*, section 9.2. Bits per character count the characters of the original text.
    """

    Config = TimeMachineConfig
    config: TimeMachineConfig
    sample = "time_machine.txt"
    published = (
        "timemachine.txt 8424dbd9532ac81f7e5f0b6add90e6952baea29158309d7d1bf3884f4e12c516 "
        "http://d2l-data.s3-accelerate.amazonaws.com/timemachine.txt"
    )

    def normalized(self, texts: Sequence[str]) -> Sequence[str]:
        """Return the texts as `normalize` changes them."""
        if self.config.normalize is Normalize.letters:
            return [re.sub("[^a-z]+", " ", text.lower()) for text in texts]
        return texts

    def tokenize(self, texts: Sequence[str]) -> Iterable[list[str]]:
        if self.config.level is Level.word:
            return [WORD.findall(text) for text in self.normalized(texts)]
        return super().tokenize(texts)

    @property
    def alphabet(self) -> str | None:
        """The space and 26 letters, if only they are left."""
        letters = self.config.normalize is Normalize.letters and self.config.level is Level.char
        return " abcdefghijklmnopqrstuvwxyz" if letters else None
