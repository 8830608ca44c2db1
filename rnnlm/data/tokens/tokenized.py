"""A corpus whose texts are token indices: all that training needs of it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from rnnlm.data.tokens.vocabulary import UNKNOWN_ID
from rnnlm.metrics import Metrics


@dataclass(frozen=True)
class Split:
    """Train, validation, test or another text as token indices, (N,), int64."""

    ids_N: Tensor
    num_chars: int  # characters of the text that the predicted tokens stand for
    unknown_nats: float  # what it costs to spell the unknown tokens among them
    begin_id: int | None  # the index of `<bos>`, if the text is in documents

    @property
    def predicted_N(self) -> Tensor:  # noqa: N802
        """The tokens that are predicted: all but `<bos>`, or all but the first token."""
        if self.begin_id is None:
            return self.ids_N[1:]
        return self.ids_N[self.ids_N != self.begin_id]

    @property
    def num_tokens(self) -> int:
        """The number of predicted tokens."""
        return len(self.predicted_N)

    @property
    def unknown_rate(self) -> float:
        """The share of the predicted tokens that are `<unk>`."""
        return (self.predicted_N == UNKNOWN_ID).double().mean().item()

    def metrics(self, total_nats: float) -> Metrics:
        """Return the metrics from the total negative log-likelihood of the tokens in nats."""
        return Metrics.of(total_nats, self.num_tokens, self.num_chars, self.unknown_nats)


@dataclass
class TokenizedCorpus:
    """The three splits, and what was learned from the training split."""

    text_sha256: str
    vocabulary: list[str]
    spelling: dict[str, float]  # what each character of an unknown token costs, in nats
    notes: list[str]  # what was left out or changed, and how often
    warnings: list[str]  # what the user should look at
    splits: dict[str, Split]
