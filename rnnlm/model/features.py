"""The features of a token: its input to the first layer's gates.

Both kinds are tables with a row of gates for each token. The product x W_ih of a one-hot x is a row
of W_ih, so it is looked up, and no vector as wide as the vocabulary is made. The row of an
embedding e is e W_ihᵀ. Rows are computed for the whole vocabulary or only for the tokens of the
batch, whichever is less work.

Shapes: T time, B batch, V vocabulary, R rows of a table, E embedding, H hidden, G all gates
(`num_gates` · H); `…` is (T, B) or (B,).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from rnnlm.data.tokens.vocabulary import UNKNOWN_ID
from rnnlm.model.layer_input import Lookup
from rnnlm.model.options import ModelConfig
from rnnlm.model.product import linear
from rnnlm.options import OptionError, option

# Up to this many tokens, it does not pay to find out which of them are equal.
FEW_TOKENS = 256


@dataclass
class FeaturesConfig:
    """Options of every kind of features."""

    name: str = ""
    # Probability that the network reads a token as `<unk>` in training, so that it learns to
    # continue after unknown tokens (word dropout, Bowman et al. 2016, section 3.1).
    token_dropout: float = option(0.0, minimum=0, below=1)
    # Probability that the row of a token is zeroed in training, wherever it stands in a batch
    # (Gal & Ghahramani 2016; Merity et al. 2018, section 4.3).
    embedding_dropout: float = option(0.0, minimum=0, below=1)


class Features(nn.Module, ABC):
    """Maps token indices (…) to the input part of the first layer's gates, (…, G)."""

    Config: ClassVar[type[FeaturesConfig]] = FeaturesConfig

    def __init__(
        self, config: FeaturesConfig, vocab_size: int, num_gates: int, hidden_size: int
    ) -> None:
        super().__init__()
        self.vocab_size = vocab_size
        self.token_dropout, self.embedding_dropout = config.token_dropout, config.embedding_dropout

    def forward(self, tokens: Tensor, bias_G: Tensor) -> Lookup:
        """Return the gates' input part, x W_ih + b, of each token."""
        if self.training and self.token_dropout:
            dropped = torch.rand(tokens.shape, device=tokens.device) < self.token_dropout
            tokens = tokens.masked_fill(dropped, UNKNOWN_ID)
        if 4 * self.vocab_size <= tokens.numel():
            return Lookup(self._apply_dropout(self.rows(None), None) + bias_G, tokens)
        # A GPU would have to synchronise to tell how many tokens are distinct.
        if tokens.is_cpu and tokens.numel() > FEW_TOKENS:
            distinct_R, index = torch.unique(tokens, return_inverse=True)
            return Lookup(self._apply_dropout(self.rows(distinct_R), distinct_R) + bias_G, index)
        return Lookup(self._apply_dropout(self.rows(tokens), tokens) + bias_G)

    def _apply_dropout(self, rows: Tensor, tokens: Tensor | None) -> Tensor:
        """Zero the rows of some tokens of the vocabulary, in training."""
        if not (self.training and self.embedding_dropout):
            return rows
        kept_V = nn.functional.dropout(rows.new_ones(self.vocab_size), self.embedding_dropout)
        return rows * (kept_V if tokens is None else kept_V[tokens]).unsqueeze(-1)

    def rows(self, tokens: Tensor | None) -> Tensor:
        """Return the rows x W_ih of tokens, (…, G), or of the whole vocabulary, (V, G)."""
        vectors, weight_ih = self.vectors
        if tokens is not None:
            vectors = nn.functional.embedding(tokens, vectors)
        return vectors if weight_ih is None else linear(vectors, weight_ih)

    @property
    @abstractmethod
    def vectors(self) -> tuple[Tensor, Tensor | None]:
        """The vector of every token, and W_ih; None if the vectors are the rows themselves."""


class OneHot(Features):
    """A token is a unit vector as wide as the vocabulary. W_ih is stored as (V, G)."""

    def __init__(
        self, config: FeaturesConfig, vocab_size: int, num_gates: int, hidden_size: int
    ) -> None:
        super().__init__(config, vocab_size, num_gates, hidden_size)
        bound = 1 / math.sqrt(hidden_size)
        self.weight_ih = nn.Parameter(torch.empty(vocab_size, num_gates * hidden_size))
        nn.init.uniform_(self.weight_ih, -bound, bound)

    @property
    def vectors(self) -> tuple[Tensor, Tensor | None]:
        return self.weight_ih, None


@dataclass
class EmbedConfig(FeaturesConfig):
    """Options of `features=embed`."""

    # None means as wide as the vocabulary.
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

    @property
    def vectors(self) -> tuple[Tensor, Tensor | None]:
        return self.embedding.weight, self.weight_ih


def check_tying(model: ModelConfig, config: FeaturesConfig) -> None:
    """Check that there is an embedding to tie the output weights to, if they are to be tied.

    Raises:
        OptionError: there is none.
    """
    if model.tie_weights and not isinstance(config, EmbedConfig):
        raise OptionError("model.tie_weights", "only features=embed has an embedding to tie")


def features() -> dict[str, type[Features]]:
    """Return every kind of features by its name in `conf/features/`."""
    return {kind.__name__.lower(): kind for kind in Features.__subclasses__()}
