"""The features of a token: what the first layer's gates are given for it.

Both kinds are tables of gates. For one-hot x the product x W_ih is a row of W_ih, so it is looked
up and no vector of the vocabulary's width is made; for an embedding the row is E W_ihᵀ. Rows are
made once for each token of the vocabulary, or only for the tokens at hand, whichever is less work.

Shapes: V vocabulary, R rows of a table, E embedding, H hidden, G gates; `…` is (T, B) or (B,).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from rnnlm.data.vocabulary import UNKNOWN_ID
from rnnlm.model.layer_input import Lookup
from rnnlm.model.product import linear
from rnnlm.options import option

# For fewer tokens than this it is not worth finding out which of them are the same.
FEW_TOKENS = 256


@dataclass
class FeaturesConfig:
    """Options of every kind of features."""

    name: str = ""
    # Probability that a token is `<unk>` to the network in training, wherever it stands: so that it
    # learns to go on from what it does not know (word dropout, Bowman et al. 2016, section 3.1).
    token_dropout: float = option(0.0, minimum=0, below=1)
    # Probability that what belongs to a token is zeroed in training, for all its places in a batch
    # (Gal & Ghahramani 2016; Merity et al. 2018, section 4.3).
    embedding_dropout: float = option(0.0, minimum=0, below=1)


class Features(nn.Module, ABC):
    """Token indices (…) to the first layer's input gates."""

    Config: ClassVar[type[FeaturesConfig]] = FeaturesConfig

    def __init__(
        self, config: FeaturesConfig, vocab_size: int, num_gates: int, hidden_size: int
    ) -> None:
        super().__init__()
        self.vocab_size = vocab_size
        self.token_dropout, self.embedding_dropout = config.token_dropout, config.embedding_dropout

    def forward(self, tokens: Tensor, bias_G: Tensor) -> Lookup:
        """The gates' input part x W_ih + b of each token."""
        if self.training and self.token_dropout:
            dropped = torch.rand(tokens.shape, device=tokens.device) < self.token_dropout
            tokens = tokens.masked_fill(dropped, UNKNOWN_ID)
        if 4 * self.vocab_size <= tokens.numel():
            return Lookup(self._dropped(self.rows(None), None) + bias_G, tokens)
        # On a GPU it would have to be waited for how many are distinct.
        if tokens.is_cpu and tokens.numel() > FEW_TOKENS:
            distinct_R, index = torch.unique(tokens, return_inverse=True)
            return Lookup(self._dropped(self.rows(distinct_R), distinct_R) + bias_G, index)
        return Lookup(self._dropped(self.rows(tokens), tokens) + bias_G)

    def _dropped(self, rows: Tensor, tokens: Tensor | None) -> Tensor:
        """Rows of tokens, some of the vocabulary's tokens being left out in training."""
        if not (self.training and self.embedding_dropout):
            return rows
        kept_V = nn.functional.dropout(rows.new_ones(self.vocab_size), self.embedding_dropout)
        return rows * (kept_V if tokens is None else kept_V[tokens]).unsqueeze(-1)

    @abstractmethod
    def rows(self, tokens: Tensor | None) -> Tensor:
        """Rows x W_ih of tokens (…), (…, G·H), or of the vocabulary, (V, G·H)."""

    @property
    @abstractmethod
    def vectors(self) -> tuple[Tensor, Tensor | None]:
        """What belongs to each token of the vocabulary, and W_ih (G·H, ·) where that is no row."""


class OneHot(Features):
    """A token is a unit vector of the vocabulary's size; W_ih is kept as its (V, G·H) transpose."""

    def __init__(
        self, config: FeaturesConfig, vocab_size: int, num_gates: int, hidden_size: int
    ) -> None:
        super().__init__(config, vocab_size, num_gates, hidden_size)
        bound = 1 / math.sqrt(hidden_size)
        self.weight_ih = nn.Parameter(torch.empty(vocab_size, num_gates * hidden_size))
        nn.init.uniform_(self.weight_ih, -bound, bound)

    def rows(self, tokens: Tensor | None) -> Tensor:
        if tokens is None:
            return self.weight_ih
        return nn.functional.embedding(tokens, self.weight_ih)

    @property
    def vectors(self) -> tuple[Tensor, Tensor | None]:
        return self.weight_ih, None


@dataclass
class EmbedConfig(FeaturesConfig):
    """Options of `features=embed`."""

    # None makes it as wide as the vocabulary.
    embedding_size: int | None = option(128, minimum=1)


class Embed(Features):
    """A token is a learned vector, initialised from N(0, 1) as `torch.nn.Embedding` does."""

    Config = EmbedConfig

    def __init__(
        self, config: EmbedConfig, vocab_size: int, num_gates: int, hidden_size: int
    ) -> None:
        super().__init__(config, vocab_size, num_gates, hidden_size)
        size = vocab_size if config.embedding_size is None else config.embedding_size
        bound = 1 / math.sqrt(hidden_size)
        self.embedding = nn.Embedding(vocab_size, size)
        self.weight_ih = nn.Parameter(torch.empty(num_gates * hidden_size, size))
        nn.init.uniform_(self.weight_ih, -bound, bound)

    def rows(self, tokens: Tensor | None) -> Tensor:
        vectors = self.embedding.weight
        if tokens is not None:
            vectors = nn.functional.embedding(tokens, vectors)
        return linear(vectors, self.weight_ih)

    @property
    def vectors(self) -> tuple[Tensor, Tensor | None]:
        return self.embedding.weight, self.weight_ih


def features() -> dict[str, type[Features]]:
    """Every kind of features by the name it has in `conf/features/`."""
    return {kind.__name__.lower(): kind for kind in Features.__subclasses__()}
