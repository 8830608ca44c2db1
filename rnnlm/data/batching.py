"""Three ways to batch a sequence of tokens: streams, windows and documents.

streams: the sequence is laid into B parallel streams, each a contiguous part of the text, and read
T tokens at a time (about T with `data.variable_seq_len`). The recurrent state is carried from one
batch to the next: truncated backpropagation through time.

windows: the sequence is cut into windows of T tokens, which are shuffled anew in every epoch, each
starting from the zero state.

documents: each document, from `<bos>` to `<eos>`, is a row of its own that starts from the zero
state. Documents of similar length stand together, padded to the longest of them. Longer ones than T
are read T tokens at a time, and the state is carried.

In all three, every token is predicted exactly once per epoch. The only exception is the first token
of a running text: no token comes before it. Nothing is left out. Places where there is nothing to
predict hold `IGNORED` and never count. `<bos>` is given and never predicted. In evaluation
(`rnnlm/data/evaluation_batches.py`) a stream may begin with context: tokens of the text before it,
which are read and not predicted again.

Shapes: N tokens, B rows, T time steps.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple, Self

import torch
from torch import Tensor
from torch.nn.functional import pad

IGNORED = -100

# If the length of batches varies, one batch in HALVED is half as long as usual.
HALVED = 20
# The standard deviation of a batch's steps: 5, or an eighth of the usual steps if that is less.
MOST_DEVIATION, DEVIATION_SHARE = 5.0, 1 / 8
# No batch is shorter than this share of the usual steps.
LEAST_SHARE = 1 / 8


class Batching(Enum):
    """The ways to batch, as `data.batching` names them."""

    stream = "stream"
    windows = "windows"
    documents = "documents"


class Batch(NamedTuple):
    """A step of truncated backpropagation: inputs and the tokens that follow them."""

    inputs_TB: Tensor
    targets_TB: Tensor
    num_tokens: int  # targets that count
    starts: bool  # the rows start here: no state to carry in
    scale: float = 1.0  # the weight of its mean loss in training


class Batches(ABC):
    """The batches of one epoch. `set_epoch` chooses the epoch; it is 0 at first.

    The tokens lie on one device, and a batch is cut out of them there.
    """

    num_tokens: int

    def __init__(self) -> None:
        self.epoch = 0
        self._start = self._given = 0

    def set_epoch(self, epoch: int) -> None:
        """Start an epoch; the order of its batches follows from its number."""
        self.epoch, self._start = epoch, 0

    def state_dict(self) -> dict[str, int]:
        """Return the epoch, and how many of its batches were given."""
        return {"epoch": self.epoch, "given": self._given}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Continue after the batches that `state_dict` has counted."""
        self.epoch, self._start = state["epoch"], state["given"]

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches of the epoch; just after `load_state_dict`, the remaining ones."""
        self._given, self._start = self._start, 0
        for batch in itertools.islice(self._epoch(), self._given, None):
            self._given += 1
            yield batch

    @abstractmethod
    def to(self, device: torch.device) -> Self:
        """Move the tokens to a device, and return self."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def _epoch(self) -> Iterator[Batch]:
        """Yield all batches of the epoch."""


class _EqualRows(Batches):
    """Batches of a text that is cut into rows of one length, side by side.

    Args:
        ids_N: the text.
        rows, length: together the rows hold at least N - 1 tokens; the rest is padding.
        begin_id: the index of `<bos>`, which is not predicted, if there is one.
        context: the number of tokens at the end of a row with which the next one begins. They are
            predicted in the first of the two.
        given: the number of tokens at the beginning of the text that are not predicted.
    """

    def __init__(
        self,
        ids_N: Tensor,
        rows: int,
        length: int,
        begin_id: int | None,
        context: int = 0,
        given: int = 1,
    ) -> None:
        super().__init__()
        targets_N = ids_N[1:].clone()
        targets_N[: given - 1] = IGNORED
        if begin_id is not None:
            targets_N[targets_N == begin_id] = IGNORED
        step = length - context
        padding = (0, rows * step + context - len(targets_N))
        # Time first, so that a batch of streams is a slice.
        self.inputs_TB = pad(ids_N[:-1], padding).unfold(0, length, step).t().contiguous()
        targets_N = pad(targets_N, padding, value=IGNORED)
        self.targets_TB = targets_N.unfold(0, length, step).t().contiguous()
        self.targets_TB[:context, 1:] = IGNORED
        self.num_tokens = int((self.targets_TB != IGNORED).sum())

    def to(self, device: torch.device) -> Self:
        self.inputs_TB, self.targets_TB = self.inputs_TB.to(device), self.targets_TB.to(device)
        return self


class Streams(_EqualRows):
    """Batches of `seq_len` steps over `batch_size` contiguous streams, always in the same order.

    Args:
        length_seed: decides, with the epoch, how many steps each batch has; None for equal batches.
        context: the number of tokens that each stream but the first reads before it predicts any.
        given: the number of tokens at the beginning of the text that are not predicted.
    """

    def __init__(
        self,
        ids_N: Tensor,
        batch_size: int,
        seq_len: int,
        begin_id: int | None = None,
        length_seed: int | None = None,
        context: int = 0,
        given: int = 1,
    ) -> None:
        length = context + -(-(len(ids_N) - 1 - context) // batch_size)
        super().__init__(ids_N, batch_size, length, begin_id, context, given)
        self.seq_len, self.length_seed = seq_len, length_seed
        # The number of targets that count in the first t steps, for every t from 0 to T.
        counts_T = (self.targets_TB != IGNORED).sum(1)
        self._counted_before_T = [0, *counts_T.cumsum(0).tolist()]

    def __len__(self) -> int:
        return -(-len(self.inputs_TB) // self.seq_len)

    def _epoch(self) -> Iterator[Batch]:
        ends = self._ends()
        for start, end in itertools.pairwise([0, *ends]):
            count = self._counted_before_T[end] - self._counted_before_T[start]
            # Each token weighs the same, however many are in its batch.
            scale = 1.0 if self.length_seed is None else (end - start) / self.seq_len
            inputs_TB, targets_TB = self.inputs_TB[start:end], self.targets_TB[start:end]
            yield Batch(inputs_TB, targets_TB, count, start == 0, scale)

    def _ends(self) -> list[int]:
        """Return the step at which each batch ends."""
        length = len(self.inputs_TB)
        if self.length_seed is None:
            return [*range(self.seq_len, length, self.seq_len), length]
        return variable_ends(length, len(self), generator_of(self.length_seed, self.epoch))

    def in_text_order(self, values: Sequence[Tensor]) -> Tensor:
        """Return one value a token, given by batch (…, T, B), in the order of the text, (…, N)."""
        values_BT = torch.cat(list(values), -2).transpose(-1, -2)
        return values_BT[..., (self.targets_TB != IGNORED).t().to(values_BT.device)]


class Windows(_EqualRows):
    """Batches of `batch_size` windows of `seq_len` steps, shuffled by seed and epoch."""

    def __init__(
        self,
        ids_N: Tensor,
        batch_size: int,
        seq_len: int,
        begin_id: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(ids_N, -(-(len(ids_N) - 1) // seq_len), seq_len, begin_id)
        self.batch_size, self.seed = batch_size, seed
        self._counts_B = (self.targets_TB != IGNORED).sum(0)

    def __len__(self) -> int:
        return -(-self.inputs_TB.shape[1] // self.batch_size)

    def _epoch(self) -> Iterator[Batch]:
        order = shuffled(self.inputs_TB.shape[1], self.seed, self.epoch)
        counts = [int(c.sum()) for c in torch.split(self._counts_B[order], self.batch_size)]
        order = order.to(self.inputs_TB.device)
        for chosen, count in zip(torch.split(order, self.batch_size), counts, strict=True):
            yield Batch(self.inputs_TB[:, chosen], self.targets_TB[:, chosen], count, starts=True)


class Documents(Batches):
    """Batches of whole documents of similar length; their order is shuffled by seed and epoch.

    Args:
        ids_N: the documents one after the other, each from `<bos>` to `<eos>`.
        seed: None keeps the batches in order of length, for evaluation.
    """

    def __init__(
        self, ids_N: Tensor, batch_size: int, seq_len: int, begin_id: int, seed: int | None = None
    ) -> None:
        super().__init__()
        starts_N = (ids_N == begin_id).nonzero().flatten()
        ends_N = torch.cat([starts_N[1:], torch.tensor([len(ids_N)])])
        # A document of n tokens between the marks has n + 1 to predict.
        self.lengths_N = ends_N - starts_N - 1
        self._by_length = torch.argsort(self.lengths_N, stable=True)
        self._groups = [
            self._group(ids_N, starts_N[group], self.lengths_N[group])
            for group in torch.split(self._by_length, batch_size)
        ]
        self._counts = [
            [int((part != IGNORED).sum()) for part in torch.split(targets_TB, seq_len)]
            for _, targets_TB in self._groups
        ]
        self.seq_len, self.seed = seq_len, seed
        self.num_tokens = int(self.lengths_N.sum())

    @staticmethod
    def _group(ids_N: Tensor, starts_B: Tensor, lengths_B: Tensor) -> tuple[Tensor, Tensor]:
        """Return inputs and targets of some documents, padded to the longest of them."""
        steps_T1 = torch.arange(int(lengths_B.max())).unsqueeze(1)
        inside_TB = steps_T1 < lengths_B
        positions_TB = torch.where(inside_TB, starts_B + steps_T1, 0)
        inputs_TB = torch.where(inside_TB, ids_N[positions_TB], 0)
        return inputs_TB, torch.where(inside_TB, ids_N[positions_TB + 1], IGNORED)

    def to(self, device: torch.device) -> Self:
        self._groups = [(inputs.to(device), targets.to(device)) for inputs, targets in self._groups]
        return self

    def __len__(self) -> int:
        return sum(map(len, self._counts))

    def _epoch(self) -> Iterator[Batch]:
        order = torch.arange(len(self._groups))
        if self.seed is not None:
            order = shuffled(len(self._groups), self.seed, self.epoch)
        for number in order.tolist():
            inputs_TB, targets_TB = self._groups[number]
            parts = zip(
                torch.split(inputs_TB, self.seq_len),
                torch.split(targets_TB, self.seq_len),
                self._counts[number],
                strict=True,
            )
            for index, (inputs, targets, count) in enumerate(parts):
                yield Batch(inputs, targets, count, starts=index == 0)

    def in_text_order(self, values: Sequence[Tensor]) -> Tensor:
        """Return one value a token, given by batch (…, T, B), in the order of the text, (…, N).

        The batches must not be shuffled. A batch may be given in several parts.
        """
        remaining, found = iter(values), []
        for _, targets_TB in self._groups:
            parts = [next(remaining)]
            while sum(part.shape[-2] for part in parts) < len(targets_TB):
                parts.append(next(remaining))
            values_BT = torch.cat(parts, -2).transpose(-1, -2)
            found.append(values_BT[..., (targets_TB != IGNORED).t().to(values_BT.device)])
        values_N = torch.cat(found, -1)
        # The values stand by the documents' lengths: find the place in the text of each token.
        lengths_N = self.lengths_N[self._by_length]
        offsets_N = (self.lengths_N.cumsum(0) - self.lengths_N)[self._by_length]
        before_N = lengths_N.cumsum(0) - lengths_N
        places_N = torch.arange(values_N.shape[-1])
        places_N += torch.repeat_interleave(offsets_N - before_N, lengths_N)
        ordered_N = torch.empty_like(values_N)
        ordered_N[..., places_N.to(values_N.device)] = values_N
        return ordered_N


def variable_ends(length: int, count: int, generator: torch.Generator) -> list[int]:
    """Return the step at which each of `count` batches ends; their steps vary about length / count.

    The lengths are drawn as in Merity et al. 2018, section 4.1, and then stretched a little, so
    that every epoch has the same number of batches.
    """
    usual = length / count
    halved = torch.rand(count, generator=generator) < 1 / HALVED
    varied = torch.randn(count, generator=generator) * min(MOST_DEVIATION, usual * DEVIATION_SHARE)
    parts = (torch.where(halved, usual / 2, usual) + varied).clamp(min=usual * LEAST_SHARE).double()
    ends = (parts.cumsum(0) * (length / parts.sum())).round().long()
    # No batch is empty, however short the stream is.
    index = torch.arange(count)
    ends = (ends - index).clamp(min=1).cummax(0).values + index
    return torch.minimum(ends, index + 1 + length - count).tolist()


def generator_of(seed: int, epoch: int) -> torch.Generator:
    """Return a generator whose draws depend on seed and epoch alone."""
    return torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**63)


def shuffled(count: int, seed: int, epoch: int) -> Tensor:
    """Return a permutation that depends on seed and epoch alone."""
    return torch.randperm(count, generator=generator_of(seed, epoch))
