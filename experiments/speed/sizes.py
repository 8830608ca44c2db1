"""The sizes that are timed: their networks, and tokens for them.

Shapes: T time, B batch, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from pytorch_lightning import LightningDataModule, Trainer
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import Tensor

from rnnlm.data.batching import Batch, Batches
from rnnlm.model.cells import cells
from rnnlm.model.features import EmbedConfig, features
from rnnlm.model.language_model import LanguageModel


@dataclass(frozen=True)
class Size:
    """V vocabulary, E embedding, H hidden, L layers, T time steps, B batch."""

    V: int
    E: int
    H: int
    L: int
    T: int
    B: int

    @property
    def tokens(self) -> int:
        """The tokens of a batch."""
        return self.T * self.B


def size_of(name: str, device: torch.device) -> Size:
    """Return a size: lyrics and letters are those of teaching code, words has many tokens."""
    return {
        "lyrics": Size(V=2581, E=512, H=512, L=2, T=20, B=128),
        "letters": Size(V=28, E=256, H=256, L=1, T=35, B=32),
        "words": Size(V=100_000, E=256, H=512, L=1, T=35, B=16 if device.type == "cpu" else 128),
    }[name]


def zipf_batches(size: Size, device: torch.device, count: int = 32) -> list[tuple[Tensor, Tensor]]:
    """Draw tokens by Zipf's law: the share of the r-th most frequent is 1 / (r + 2.7)."""
    generator = torch.Generator().manual_seed(0)
    share_V = 1 / (torch.arange(size.V) + 3.7)
    ids = torch.multinomial(share_V, size.tokens * count + 1, True, generator=generator).to(device)
    # Time first, each batch going on where the one before it ended.
    inputs, targets = ids[:-1].view(size.B, -1).t(), ids[1:].view(size.B, -1).t()
    return list(
        zip(inputs.contiguous().split(size.T), targets.contiguous().split(size.T), strict=True)
    )


def build_network(cell: str, kind: str, size: Size) -> LanguageModel:
    """Return this project's network of a size."""
    torch.manual_seed(0)
    features_config = features()[kind].Config(name=kind)
    if isinstance(features_config, EmbedConfig):
        features_config.embedding_size = size.E
    model = cells()[cell].Config(name=cell, hidden_size=size.H, num_layers=size.L)
    return LanguageModel(size.V, model, features_config)


def without_model_checkpoint(trainer: Trainer) -> Trainer:
    """Take the callback that saves the best epoch out of a Trainer, and return it."""
    callbacks = trainer.callbacks  # type: ignore[attr-defined]
    trainer.callbacks = [  # type: ignore[attr-defined]
        callback for callback in callbacks if not isinstance(callback, ModelCheckpoint)
    ]
    return trainer


class Data(LightningDataModule):
    """Gives the batches to the Trainer, as a corpus does; they are on their device already."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches = batches

    def train_dataloader(self) -> Batches:
        return self.batches

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, index: int) -> Batch:
        return batch
