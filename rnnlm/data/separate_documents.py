"""The base of corpora of documents that have nothing to do with each other: poems, sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rnnlm.data.corpus import Corpus, CorpusConfig
from rnnlm.data.splitting import Pieces, dealt
from rnnlm.options import option


@dataclass
class SeparateDocumentsConfig(CorpusConfig):
    """Options of every corpus of separate documents."""

    # Which documents are held out.
    seed: int = option(1, minimum=0)


class SeparateDocuments(Corpus):
    """Documents by character, each from `<bos>` to `<eos>`, dealt out to the splits at random."""

    Config = SeparateDocumentsConfig
    config: SeparateDocumentsConfig

    @property
    def in_documents(self) -> bool:
        """Each text is a document."""
        return True

    def split(self, texts: Sequence[str]) -> Pieces:
        """By document; which is where follows from the seed and not from the order."""
        config = self.config
        return dealt(texts, config.validation_fraction, config.test_fraction, config.seed)

    def tokenize(self, texts: Sequence[str]) -> list[list[str]]:
        """Characters."""
        return [list(text) for text in texts]
