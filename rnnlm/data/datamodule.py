"""A prepared corpus as Lightning takes it: the batches of its splits, on the Trainer's device."""

from __future__ import annotations

import torch
from pytorch_lightning import LightningDataModule

from rnnlm.data.batching import (
    Batch,
    Batches,
    Batching,
    Documents,
    Streams,
    Windows,
)
from rnnlm.data.evaluation_batches import for_evaluation
from rnnlm.data.preparation import PreparedCorpus
from rnnlm.data.texts.splitting import SPLITS, TRAIN, VALIDATION


class CorpusDataModule(LightningDataModule):
    """The splits of a corpus in batches.

    Args:
        seed: decides the order of shuffled batches.
    """

    def __init__(self, corpus: PreparedCorpus, seed: int = 0) -> None:
        super().__init__()
        self.corpus, self.seed = corpus, seed

    def train_dataloader(self) -> Batches:
        """Return the training split, batched by `data.batching`."""
        config, split = self.corpus.config, self.corpus.splits[TRAIN]
        sizes = split.ids_N, config.batch_size, config.seq_len
        batches: Batches
        if config.batching is Batching.stream:
            length_seed = self.seed if config.variable_seq_len else None
            batches = Streams(*sizes, split.begin_id, length_seed)
        elif config.batching is Batching.windows:
            batches = Windows(*sizes, split.begin_id, self.seed)
        else:
            assert split.begin_id is not None
            batches = Documents(*sizes, split.begin_id, self.seed)
        return batches.to(self._device)

    def val_dataloader(self) -> Batches:
        """Return the validation split, for evaluation."""
        return self._whole(VALIDATION)

    def test_dataloader(self) -> list[Batches]:
        """Return all three splits in the order of SPLITS, to evaluate the chosen checkpoint."""
        return [self._whole(name) for name in SPLITS]

    def transfer_batch_to_device(
        self, batch: Batch, device: torch.device, dataloader_idx: int
    ) -> Batch:
        """Return the batch as it is: it was cut out of tokens that lie on the device."""
        return batch

    def _whole(self, name: str) -> Batches:
        split = self.corpus.splits[name]
        batches = for_evaluation(self.corpus.config.batching, split.ids_N, split.begin_id)
        return batches.to(self._device)

    @property
    def _device(self) -> torch.device:
        """The Trainer's device, once there is a Trainer."""
        return self.trainer.strategy.root_device if self.trainer else torch.device("cpu")
