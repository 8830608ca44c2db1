"""rnnlm/data/datamodule.py"""

from __future__ import annotations

import torch

from rnnlm.data.datamodule import CorpusDataModule
from tests.support.small_corpora import letters


def test_evaluation_does_not_depend_on_the_training_batches() -> None:
    first, second = (
        CorpusDataModule(letters(batch_size=batch_size, seq_len=seq_len)).test_dataloader()
        for batch_size, seq_len in ((2, 4), (20, 3))
    )
    for one, other in zip(first, second, strict=True):
        for batch, same in zip(one, other, strict=True):
            assert torch.equal(batch.targets_TB, same.targets_TB)


def test_streams_may_vary_in_length() -> None:
    data = CorpusDataModule(letters(seq_len=20, variable_seq_len=True))
    assert len({len(batch.inputs_TB) for batch in data.train_dataloader()}) > 2
