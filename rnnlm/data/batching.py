"""Three ways to batch a sequence of tokens: streams, windows and documents.

streams: the sequence is laid into B parallel streams, each a contiguous piece of the text, and read
T tokens at a time, or with `data.variable_seq_len` about T. The recurrent state is carried from one
batch to the next (truncated backpropagation through time).

windows: the sequence is cut into pieces of T tokens, which are shuffled anew in every epoch, each
starting from the zero state.

documents: each document, from `<bos>` to `<eos>`, is a row of its own that starts from the zero
state. Documents of similar length stand together, padded to the longest of them; what is longer
than T is read T tokens at a time, the state carried.

In all three every token is predicted exactly once in an epoch (but the very first of a text without
documents, which nothing comes before): nothing is dropped, and places where there is nothing to
predict hold `IGNORED` and never count. `<bos>` is given and never predicted.

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

from rnnlm.data.variable_lengths import variable_ends

IGNORED = -100

# An evaluation stream is at least this long, so that the zero state at its start costs less than
# 0.001 nats per token, whatever batch size the model was trained with.
EVALUATION_STREAM = 20_000
# As many predictions are made at once in evaluation: large chunks are fast.
EVALUATION_BATCH_TOKENS = 4_096


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
    scale: float = 1.0  # of its mean loss in training


class Batches(ABC):
    """Batches of an epoch. Iterating gives the epoch that `set_epoch` has named, 0 at first.

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
        """Where in which epoch the batches are."""
        return {"epoch": self.epoch, "given": self._given}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where the state says."""
        self.epoch, self._start = state["epoch"], state["given"]

    def __iter__(self) -> Iterator[Batch]:
        """The batches of the epoch; once after `load_state_dict`, those that are left of it."""
        self._given, self._start = self._start, 0
        for batch in itertools.islice(self._epoch(), self._given, None):
            self._given += 1
            yield batch

    @abstractmethod
    def to(self, device: torch.device) -> Self:
        """Move the tokens to a device; returns itself."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def _epoch(self) -> Iterator[Batch]:
        """All batches of the epoch."""


def inputs_and_targets(ids_N: Tensor, begin_id: int | None) -> tuple[Tensor, Tensor]:
    """Each token but the last, and what follows it; `<bos>` is not to be predicted."""
    targets_N = ids_N[1:].clone()
    if begin_id is not None:
        targets_N[targets_N == begin_id] = IGNORED
    return ids_N[:-1], targets_N


class Streams(Batches):
    """Batches of `seq_len` steps over `batch_size` contiguous streams, always in the same order.

    Args:
        variable_by: a seed, of which and of the epoch it follows how many steps each batch has.
    """

    def __init__(
        self,
        ids_N: Tensor,
        batch_size: int,
        seq_len: int,
        begin_id: int | None = None,
        variable_by: int | None = None,
    ) -> None:
        super().__init__()
        inputs_N, targets_N = inputs_and_targets(ids_N, begin_id)
        length = -(-len(inputs_N) // batch_size)
        padding = (0, length * batch_size - len(inputs_N))
        # Time first, so that a batch is a slice.
        self.inputs_TB = pad(inputs_N, padding).view(batch_size, length).t().contiguous()
        targets_N = pad(targets_N, padding, value=IGNORED)
        self.targets_TB = targets_N.view(batch_size, length).t().contiguous()
        self.seq_len, self.variable_by = seq_len, variable_by
        # How many of the first steps' targets count, from none to all of the steps.
        counts_T = (self.targets_TB != IGNORED).sum(1)
        self._counted_before_T = [0, *counts_T.cumsum(0).tolist()]
        self.num_tokens = self._counted_before_T[-1]

    def to(self, device: torch.device) -> Self:
        self.inputs_TB, self.targets_TB = self.inputs_TB.to(device), self.targets_TB.to(device)
        return self

    def __len__(self) -> int:
        return -(-len(self.inputs_TB) // self.seq_len)

    def _epoch(self) -> Iterator[Batch]:
        ends = self._ends()
        for start, end in zip([0, *ends], ends, strict=False):
            count = self._counted_before_T[end] - self._counted_before_T[start]
            # Each token weighs the same, however many are in its batch.
            scale = 1.0 if self.variable_by is None else (end - start) / self.seq_len
            inputs_TB, targets_TB = self.inputs_TB[start:end], self.targets_TB[start:end]
            yield Batch(inputs_TB, targets_TB, count, start == 0, scale)

    def _ends(self) -> list[int]:
        """Where each batch ends."""
        length = len(self.inputs_TB)
        if self.variable_by is None:
            return [*range(self.seq_len, length, self.seq_len), length]
        return variable_ends(length, len(self), generator_of(self.variable_by, self.epoch))

    def in_text_order(self, values: Sequence[Tensor]) -> Tensor:
        """What each batch of an epoch gave, (…, T, B), in the order of the text, (…, N)."""
        values_BT = torch.cat(list(values), -2).transpose(-1, -2)
        return values_BT[..., (self.targets_TB != IGNORED).t().to(values_BT.device)]


class Windows(Batches):
    """Batches of `batch_size` windows of `seq_len` steps, shuffled by seed and epoch."""

    def __init__(
        self,
        ids_N: Tensor,
        batch_size: int,
        seq_len: int,
        begin_id: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        inputs_N, targets_N = inputs_and_targets(ids_N, begin_id)
        windows = -(-len(inputs_N) // seq_len)
        padding = (0, windows * seq_len - len(inputs_N))
        self.inputs_TN = pad(inputs_N, padding).view(windows, seq_len).t().contiguous()
        targets_N = pad(targets_N, padding, value=IGNORED)
        self.targets_TN = targets_N.view(windows, seq_len).t().contiguous()
        self.batch_size, self.seed = batch_size, seed
        self._counts_N = (self.targets_TN != IGNORED).sum(0)
        self.num_tokens = int(self._counts_N.sum())

    def to(self, device: torch.device) -> Self:
        self.inputs_TN, self.targets_TN = self.inputs_TN.to(device), self.targets_TN.to(device)
        return self

    def __len__(self) -> int:
        return -(-self.inputs_TN.shape[1] // self.batch_size)

    def _epoch(self) -> Iterator[Batch]:
        order = shuffled(self.inputs_TN.shape[1], self.seed, self.epoch)
        counts = [int(c.sum()) for c in torch.split(self._counts_N[order], self.batch_size)]
        order = order.to(self.inputs_TN.device)
        for chosen, count in zip(torch.split(order, self.batch_size), counts, strict=True):
            yield Batch(self.inputs_TN[:, chosen], self.targets_TN[:, chosen], count, starts=True)


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
        """Inputs and targets of some documents, padded to the longest of them."""
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
        """What each batch, not shuffled, gave, (…, T, B), in the order of the text, (…, N).

        A batch may have been gone through in parts.
        """
        remaining, found = iter(values), []
        for _, targets_TB in self._groups:
            parts = [next(remaining)]
            while sum(part.shape[-2] for part in parts) < len(targets_TB):
                parts.append(next(remaining))
            values_BT = torch.cat(parts, -2).transpose(-1, -2)
            found.append(values_BT[..., (targets_TB != IGNORED).t().to(values_BT.device)])
        values_N = torch.cat(found, -1)
        # The documents by length, and where in the text the tokens of each are.
        lengths_N = self.lengths_N[self._by_length]
        offsets_N = (self.lengths_N.cumsum(0) - self.lengths_N)[self._by_length]
        before_N = lengths_N.cumsum(0) - lengths_N
        places_N = torch.arange(values_N.shape[-1])
        places_N += torch.repeat_interleave(offsets_N - before_N, lengths_N)
        ordered_N = torch.empty_like(values_N)
        ordered_N[..., places_N.to(values_N.device)] = values_N
        return ordered_N


def generator_of(seed: int, epoch: int) -> torch.Generator:
    """Draws that follow from the seed and the epoch alone."""
    return torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**63)


def shuffled(count: int, seed: int, epoch: int) -> Tensor:
    """A permutation that follows from the seed and the epoch alone."""
    return torch.randperm(count, generator=generator_of(seed, epoch))


def for_training(
    batching: Batching,
    ids_N: Tensor,
    batch_size: int,
    seq_len: int,
    begin_id: int | None,
    seed: int,
    variable_seq_len: bool = False,
) -> Batches:
    """The training split, batched as asked."""
    if batching is Batching.documents:
        assert begin_id is not None
        return Documents(ids_N, batch_size, seq_len, begin_id, seed)
    if batching is Batching.windows:
        return Windows(ids_N, batch_size, seq_len, begin_id, seed)
    return Streams(ids_N, batch_size, seq_len, begin_id, seed if variable_seq_len else None)


def for_evaluation(batching: Batching, ids_N: Tensor, begin_id: int | None) -> Streams | Documents:
    """A whole split: by documents if training was, else in as few streams as speed allows.

    A function of the split alone: figures do not depend on how the training was batched. Windows
    are evaluated as streams, each token with all of the text before it.
    """
    if batching is Batching.documents:
        assert begin_id is not None
        return Documents(ids_N, 64, EVALUATION_BATCH_TOKENS // 64, begin_id)
    streams = max(1, (len(ids_N) - 1) // EVALUATION_STREAM)
    return Streams(ids_N, streams, max(1, EVALUATION_BATCH_TOKENS // streams), begin_id)
