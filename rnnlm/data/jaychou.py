"""Song lyrics by character, such as the corpus of Jay Chou's lyrics that is used in teaching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rnnlm.data.running_text import RunningText, RunningTextConfig


@dataclass
class JayChouConfig(RunningTextConfig):
    """Options of `data=jaychou`."""

    # Replace line ends by spaces, as the teaching code does.
    newlines_to_spaces: bool = False


class JayChou(RunningText):
    """Lines in reading order, many of them choruses that are repeated.

    `data.max_chars=10000 data.newlines_to_spaces=true` is the convention of *Dive into Deep
    Learning* (Chinese edition, section 6.3).
    """

    Config = JayChouConfig
    config: JayChouConfig
    sample = "jaychou.txt"
    published = (
        "jaychou_lyrics.txt.zip 3cfedd7d174111cdad5a27eaffaa6a2432a2842cf2590a03dd8a97610ea07043 "
        "https://github.com/d2l-ai/d2l-zh/raw/v1.0.0/data/jaychou_lyrics.txt.zip"
    )

    def normalized(self, texts: Sequence[str]) -> Sequence[str]:
        """Return the texts, with a space for every line end if `newlines_to_spaces` is set."""
        if self.config.newlines_to_spaces:
            return [text.replace("\n", " ") for text in texts]
        return texts
