"""Contiguous streams: a sequence of tokens cut for truncated backpropagation through time.

The sequence is laid into B parallel streams, each a contiguous piece of the text, and read T tokens
at a time; the recurrent state is carried from one batch to the next, so a batch continues where the
one before it stopped. Every token but the first is predicted exactly once: nothing is dropped, the
last batch may be shorter, and places without a token to predict hold `IGNORED` and never count.

Shapes: N tokens, B streams, T time steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

IGNORED = -100

# An evaluation stream is at least this long, so that the zero state at its start costs less than
# 0.001 nats per token, whatever batch size the model was trained with.
EVALUATION_STREAM = 20_000
EVALUATION_BATCH_TOKENS = 4_096


class Batch(NamedTuple):
    """A step of truncated backpropagation: inputs and the tokens that follow them."""

    inputs_TB: Tensor
    targets_TB: Tensor
    num_tokens: int  # targets that count
    starts: bool  # the streams start here: no state to carry in


class Streams:
    """Batches of `seq_len` steps over `batch_size` contiguous streams, always in the same order."""

    def __init__(self, tokens_N: Tensor, batch_size: int, seq_len: int) -> None:
        predicted = len(tokens_N) - 1
        length = -(-predicted // batch_size)
        padding = length * batch_size - predicted
        inputs = torch.nn.functional.pad(tokens_N[:-1], (0, padding))
        targets = torch.nn.functional.pad(tokens_N[1:], (0, padding), value=IGNORED)
        self.num_tokens = predicted
        self.seq_len = seq_len
        # Time first, so that a batch is a slice.
        self.inputs_NB = inputs.view(batch_size, length).t().contiguous()
        self.targets_NB = targets.view(batch_size, length).t().contiguous()
        counted = (self.targets_NB != IGNORED).split(seq_len)
        self._counts = [int(chunk.sum()) for chunk in counted]

    @classmethod
    def for_evaluation(cls, tokens_N: Tensor) -> Streams:
        """As few streams as speed allows; a function of the text's length alone."""
        streams = max(1, (len(tokens_N) - 1) // EVALUATION_STREAM)
        return cls(tokens_N, streams, max(1, EVALUATION_BATCH_TOKENS // streams))

    def __len__(self) -> int:
        return len(self._counts)

    def __iter__(self) -> Iterator[Batch]:
        for index, count in enumerate(self._counts):
            steps = slice(index * self.seq_len, (index + 1) * self.seq_len)
            yield Batch(self.inputs_NB[steps], self.targets_NB[steps], count, starts=index == 0)
