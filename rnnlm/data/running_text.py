"""The base of corpora that are one running text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rnnlm.data.corpus import Corpus, CorpusConfig
from rnnlm.data.texts.source import File
from rnnlm.data.texts.splitting import SplitTexts, fold, refuse_nothing_to_train_on
from rnnlm.options import OptionError, option


@dataclass
class RunningTextConfig(CorpusConfig):
    """Options of every running text."""

    # Keep at most this many characters, from the beginning.
    max_chars: int | None = option(None, minimum=1)
    # Contiguous cross-validation: test is block `fold` of `folds`, counted from 1.
    folds: int | None = option(None, minimum=2)
    fold: int = option(1, minimum=1)


class RunningText(Corpus):
    """One text, divided in reading order; a subclass says what its tokens are."""

    Config = RunningTextConfig
    config: RunningTextConfig

    def parse(self, files: Sequence[File]) -> list[str]:
        """Return the texts of the files as one."""
        texts = list(map(self.decode, files))
        # A file that another follows ends its last line.
        ended = [text if text.endswith("\n") else text + "\n" for text in texts[:-1]]
        return ["".join([*ended, *texts[-1:]])[: self.config.max_chars]]

    def parse_file(self, file: File) -> list[str]:
        """Return the whole file, whatever `data.max_chars` is."""
        return [self.decode(file)]

    def split(self, texts: Sequence[str]) -> SplitTexts:
        """Divide the text in reading order, or return a fold of the cross-validation."""
        folds, number = self.config.folds, self.config.fold
        if folds is None:
            if number != 1:
                raise OptionError("data.fold", f"{number} needs data.folds, the number of folds")
            return super().split(texts)
        if number > folds:
            raise OptionError("data.fold", f"{number} is more than data.folds={folds}")
        refuse_nothing_to_train_on(self.config.validation_fraction, 1 / folds, "data.folds")
        return fold(texts[0], folds, number, self.config.validation_fraction)
