"""What of a corpus decides a run's place and record, without its tokens."""

from __future__ import annotations

from typing import NamedTuple

from rnnlm.data.corpus import Corpus


class CorpusIdentity(NamedTuple):
    """What is known of a corpus that has been read."""

    # Of what the tokens are made of, besides the options.
    identity: str
    text_sha256: str
    # Of the vocabulary and the held-out tokens.
    held_out_sha256: str
    vocab_size: int

    @classmethod
    def of(cls, corpus: Corpus) -> CorpusIdentity:
        """Of a corpus that has been read."""
        return cls(
            corpus.identity, corpus.text_sha256, corpus.held_out_sha256, len(corpus.vocabulary)
        )
