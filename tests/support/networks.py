"""Small networks of every kind, and a real Trainer that trains one.

Shapes: T time, B batch, V vocabulary, E embedding, H hidden.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pytorch_lightning import Callback, Trainer
from torch import Tensor

from rnnlm.data.batching import Streams
from rnnlm.model.cells import Cell, RNNConfig, RNNNonlinearity, cells
from rnnlm.model.features import EmbedConfig, FeaturesConfig, features
from rnnlm.model.language_model import LanguageModel, State
from rnnlm.model.options import ModelConfig

V, E, H, T, B = 11, 5, 8, 7, 3

VARIANTS = [
    (cell, kind, layers, nonlinearity)
    for cell in cells()
    for kind in features()
    for layers in (1, 2)
    for nonlinearity in (("tanh", "relu") if cell == "rnn" else ("tanh",))
]
every_variant = pytest.mark.parametrize(("cell", "kind", "layers", "nonlinearity"), VARIANTS)


def _config(name: str, nonlinearity: str, **options: Any) -> ModelConfig:
    config = cells()[name].Config(name=name, hidden_size=H, **options)
    if isinstance(config, RNNConfig):
        config.nonlinearity = RNNNonlinearity(nonlinearity)
    return config


def cell_of(name: str, nonlinearity: str = "tanh") -> Cell:
    """A cell with weights that are always the same."""
    torch.manual_seed(0)
    return cells()[name](_config(name, nonlinearity))


def network(
    cell: str,
    kind: str,
    layers: int,
    nonlinearity: str = "tanh",
    vocab_size: int = V,
    embedding_size: int = E,
    **options: Any,
) -> LanguageModel:
    """A network with weights that are always the same."""
    torch.manual_seed(0)
    config = _config(cell, nonlinearity, num_layers=layers, **options)
    kind_config = features()[kind].Config(name=kind)
    if isinstance(kind_config, EmbedConfig):
        kind_config.embedding_size = embedding_size
    return LanguageModel(vocab_size, config, kind_config)


class Spy(LanguageModel):
    """Notes, for every call, whether it is training and what state it was given and has made."""

    def __init__(self) -> None:
        cell = cells()["lstm"].Config(name="lstm", hidden_size=4)
        super().__init__(V, cell, FeaturesConfig(name="onehot"))
        self.calls: list[tuple[bool, State | None, State]] = []

    def hidden(self, tokens_TB: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        hidden_TBH, new_state = super().hidden(tokens_TB, state)
        self.calls.append((self.training, state, new_state))
        return hidden_TBH, new_state


def trainer(epochs: int, *callbacks: Callback, **options: Any) -> Trainer:
    """A Trainer that logs and saves nothing."""
    return Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        callbacks=list(callbacks),
        logger=False,
        enable_checkpointing=bool(callbacks),
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=2,
        **options,
    )


def streams(num_tokens: int, batch_size: int, seq_len: int) -> Streams:
    """Streams of random tokens, always the same."""
    torch.manual_seed(1)
    return Streams(torch.randint(V, (num_tokens,)), batch_size, seq_len)
