"""*The Time Machine* by H. G. Wells, or any English text, by character."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from rnnlm.data.corpus import Corpus, CorpusConfig
from rnnlm.data.source import PublishedFile, read_text

PUBLISHED = PublishedFile(
    name="timemachine.txt",
    address="http://d2l-data.s3-accelerate.amazonaws.com/timemachine.txt",
    sha256="8424dbd9532ac81f7e5f0b6add90e6952baea29158309d7d1bf3884f4e12c516",
)


class Normalize(Enum):
    """What becomes of the characters before they are counted."""

    none = "none"
    letters = "letters"


@dataclass
class TimeMachineConfig(CorpusConfig):
    """Options of `data=time_machine`."""

    normalize: Normalize = Normalize.none


class TimeMachine(Corpus):
    """Characters of an English text.

    `normalize=none` keeps the text as it is. `normalize=letters` lower-cases it and makes one space
    of every run of characters that are not a–z: the convention of Zhang et al., *Dive into Deep
    Learning*, section 9.2.
    """

    Config = TimeMachineConfig
    config: TimeMachineConfig

    def read(self) -> str:
        return read_text(self.config.source, "time_machine.txt", PUBLISHED)

    def tokenize(self, text: str) -> list[str]:
        if self.config.normalize is Normalize.letters:
            return list(re.sub("[^a-z]+", " ", text.lower()))
        return list(text)

    @property
    def closed_alphabet(self) -> bool:
        return self.config.normalize is Normalize.letters
