"""Small corpora of both kinds that the tests of baselines share."""

from __future__ import annotations

from pathlib import Path

from rnnlm.data import corpora
from rnnlm.data.batching import Batching
from rnnlm.data.preparation import PreparedCorpus, prepare


def sample(name: str, batching: Batching = Batching.stream) -> PreparedCorpus:
    """A corpus of the package's own text."""
    kind = corpora()[name]
    return prepare(kind(kind.Config(name=name, batching=batching, batch_size=8)))


def from_file(path: Path, batching: Batching = Batching.stream) -> PreparedCorpus:
    """A user's text by character."""
    kind = corpora()["time_machine"]
    config = kind.Config(
        name="time_machine", source=str(path), batching=batching, batch_size=1, seq_len=4
    )
    return prepare(kind(config))
