"""The features of a token: what the first layer's gates are given for it.

Both kinds hand over `x W_ih + b_ih`. For one-hot x that product is a row of W_ih, so it is looked
up and no vector of the vocabulary's width is ever made; an embedding is looked up and multiplied.

Shapes: V vocabulary, E embedding, H hidden, G gates, T time, B batch; `…` is (T, B) or (B,).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from rnnlm.options import option


@dataclass
class FeaturesConfig:
    """Options of every kind of features."""

    name: str = ""


class Features(nn.Module, ABC):
    """Token indices (…) to the first layer's input gates (…, G·H)."""

    Config: ClassVar[type[FeaturesConfig]] = FeaturesConfig

    @abstractmethod
    def forward(self, tokens: Tensor) -> Tensor:
        """The gates' input part of each token."""


class OneHot(Features):
    """A token is a unit vector of the vocabulary's size; W_ih is kept as its (V, G·H) transpose."""

    def __init__(
        self, config: FeaturesConfig, vocab_size: int, num_gates: int, hidden_size: int
    ) -> None:
        super().__init__()
        bound = 1 / math.sqrt(hidden_size)
        self.weight_ih = nn.Parameter(torch.empty(vocab_size, num_gates * hidden_size))
        self.bias_ih = nn.Parameter(torch.empty(num_gates * hidden_size))
        nn.init.uniform_(self.weight_ih, -bound, bound)
        nn.init.uniform_(self.bias_ih, -bound, bound)

    def forward(self, tokens: Tensor) -> Tensor:
        return nn.functional.embedding(tokens, self.weight_ih) + self.bias_ih


@dataclass
class EmbedConfig(FeaturesConfig):
    """Options of `features=embed`."""

    embedding_size: int = option(128, minimum=1)


class Embed(Features):
    """A token is a learned vector, initialised from N(0, 1) as `torch.nn.Embedding` does."""

    Config = EmbedConfig

    def __init__(
        self, config: EmbedConfig, vocab_size: int, num_gates: int, hidden_size: int
    ) -> None:
        super().__init__()
        bound = 1 / math.sqrt(hidden_size)
        self.embedding = nn.Embedding(vocab_size, config.embedding_size)
        self.weight_ih = nn.Parameter(torch.empty(num_gates * hidden_size, config.embedding_size))
        self.bias_ih = nn.Parameter(torch.empty(num_gates * hidden_size))
        nn.init.uniform_(self.weight_ih, -bound, bound)
        nn.init.uniform_(self.bias_ih, -bound, bound)

    def forward(self, tokens: Tensor) -> Tensor:
        return nn.functional.linear(self.embedding(tokens), self.weight_ih, self.bias_ih)


def features() -> dict[str, type[Features]]:
    """Every kind of features by the name it has in `conf/features/`."""
    return {kind.__name__.lower(): kind for kind in Features.__subclasses__()}
