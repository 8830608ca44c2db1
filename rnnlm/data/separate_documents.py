"""The base of corpora of documents that have nothing to do with each other: poems, sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rnnlm.data.corpus import Corpus, CorpusConfig
from rnnlm.data.texts.near_copies import NEAR_COPY_RULE, assign_near_copies_together
from rnnlm.data.texts.splitting import SplitTexts, assign_to_splits
from rnnlm.options import option


@dataclass
class SeparateDocumentsConfig(CorpusConfig):
    """Options of every corpus of separate documents."""

    # Decides which documents are held out.
    seed: int = option(1, minimum=0)


class SeparateDocuments(Corpus):
    """Documents by character, each from `<bos>` to `<eos>`, assigned to the splits at random."""

    Config = SeparateDocumentsConfig
    config: SeparateDocumentsConfig
    # Put documents that are nearly the same into the same split.
    near_copies_together: ClassVar[bool] = True

    @property
    def texts_are_documents(self) -> bool:
        return True

    def split(self, texts: Sequence[str]) -> SplitTexts:
        """Assign the documents to splits, by the seed and not by their order."""
        config = self.config
        fractions = config.validation_fraction, config.test_fraction
        if not self.near_copies_together:
            return assign_to_splits(texts, *fractions, config.seed)
        pieces, note = assign_near_copies_together(texts, *fractions, config.seed)
        self.notes.append(note)
        return pieces

    def tokens_depend_on(self) -> Any:
        """Return the rule by which near-copies are found."""
        return NEAR_COPY_RULE if self.near_copies_together else None
