"""Loss, perplexity and bits per character, from sums over a split, never from means of batches.

Tables need these without PyTorch, which this module therefore does not import.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def perplexity(loss: float) -> float:
    """Return exp of a loss in nats per token, or infinity if it exceeds the largest float."""
    return math.inf if loss > 709 else math.exp(loss)


@dataclass(frozen=True)
class Metrics:
    """The quality of a model's predictions on a split.

    loss: total negative log-likelihood / number of tokens predicted, in nats per token.
    ppl: perplexity, exp(loss).
    bpc: bits per character of the original text, comparable across tokenizers and
        vocabularies: (total nats + nats to spell unknown tokens) / ln 2 / number of characters.
    """

    loss: float
    ppl: float
    bpc: float
    num_tokens: int
    num_chars: int

    @classmethod
    def of(
        cls, total_nats: float, num_tokens: int, num_chars: int, unknown_nats: float = 0.0
    ) -> Metrics:
        """Return the metrics of a split from its total negative log-likelihood in nats."""
        loss = total_nats / num_tokens
        bpc = (total_nats + unknown_nats) / math.log(2) / num_chars
        return cls(loss, perplexity(loss), bpc, num_tokens, num_chars)

    def to_dict(self) -> dict[str, float]:
        """Return the fields as a record holds them."""
        return asdict(self)


class Total:
    """A running sum of negative log-likelihoods in float64, which stays on the device until read.

    A sum begun in PyTorch's inference mode can go on only there.
    """

    def __init__(self, nats: float = 0.0, num_tokens: int = 0) -> None:
        self._first_nats = nats  # until there is a tensor
        self._nats: Tensor | None = None
        self.num_tokens = num_tokens

    def add(self, nats: Tensor, num_tokens: int) -> None:
        """Add the nats of `num_tokens` predicted tokens, a scalar tensor."""
        if self._nats is None or self._nats.device != nats.device:
            self._nats = nats.detach().double().new_full((), self.nats)
        self._nats.add_(nats.detach())
        self.num_tokens += num_tokens

    def reset(self) -> None:
        """Start again from 0."""
        self._first_nats, self.num_tokens = 0.0, 0
        if self._nats is not None:
            self._nats.zero_()

    @property
    def nats(self) -> float:
        """The sum so far; reading it waits for the device."""
        return self._first_nats if self._nats is None else float(self._nats)

    @property
    def loss(self) -> float:
        """The sum so far in nats per token, NaN before the first token."""
        return self.nats / self.num_tokens if self.num_tokens else math.nan
