"""rnnlm/data/batching.py"""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from rnnlm.data.batching import (
    IGNORED,
    Batches,
    Documents,
    Streams,
    Windows,
    variable_ends,
)

BEGIN = 1

sizes = {
    "num_tokens": st.integers(2, 300),
    "batch_size": st.integers(1, 9),
    "seq_len": st.integers(1, 40),
}
documents = st.lists(st.integers(0, 30), min_size=1, max_size=20)


def predicted(batches: Batches) -> list[int]:
    """Return the predicted tokens of an epoch, in order, and check the count of every batch."""
    seen: list[int] = []
    for batch in batches:
        counted = batch.targets_TB != IGNORED
        assert batch.inputs_TB.shape == batch.targets_TB.shape
        assert batch.num_tokens == int(counted.sum())
        seen += batch.targets_TB[counted].tolist()
    assert batches.num_tokens == len(seen)
    return seen


def in_documents(lengths: list[int]) -> Tensor:
    """Documents of distinct tokens from 2 on, each after BEGIN; a document's last is its end."""
    numbers = itertools.count(2)
    return torch.tensor([t for n in lengths for t in (BEGIN, *itertools.islice(numbers, n + 1))])


@given(**sizes)
def test_streams_predict_every_token_but_the_first_once(
    num_tokens: int, batch_size: int, seq_len: int
) -> None:
    streams = Streams(torch.arange(num_tokens), batch_size, seq_len)
    assert sorted(predicted(streams)) == list(range(1, num_tokens))
    assert len(list(streams)) == len(streams)
    for batch in streams:
        counted = batch.targets_TB != IGNORED
        # A target is the token that follows, never the input itself.
        assert torch.equal(batch.targets_TB[counted], batch.inputs_TB[counted] + 1)
        assert batch.num_tokens > 0


@given(**sizes)
def test_a_stream_continues_where_the_batch_before_stopped(
    num_tokens: int, batch_size: int, seq_len: int
) -> None:
    batches = list(Streams(torch.arange(num_tokens), batch_size, seq_len))
    assert [batch.starts for batch in batches] == [True] + [False] * (len(batches) - 1)
    for before, after in itertools.pairwise(batches):
        real = after.targets_TB[0] != IGNORED
        assert torch.equal(after.inputs_TB[0][real], before.targets_TB[-1][real])


def test_the_order_of_streams_is_the_same_in_every_epoch() -> None:
    streams = Streams(torch.arange(100), 4, 7)
    first = predicted(streams)
    streams.set_epoch(1)
    assert predicted(streams) == first


def test_a_batch_of_streams_is_a_slice_and_not_a_copy() -> None:
    streams = Streams(torch.arange(100), 4, 7)
    assert next(iter(streams)).inputs_TB.data_ptr() == streams.inputs_TB.data_ptr()


@given(**sizes)
def test_windows_predict_every_token_but_the_first_once_in_any_order(
    num_tokens: int, batch_size: int, seq_len: int
) -> None:
    windows = Windows(torch.arange(num_tokens), batch_size, seq_len, seed=3)
    assert sorted(predicted(windows)) == list(range(1, num_tokens))
    assert len(list(windows)) == len(windows)
    assert all(batch.starts and len(batch.inputs_TB) == seq_len for batch in windows)


@given(documents, st.integers(1, 9), st.integers(1, 40))
def test_documents_are_whole_rows_that_start_from_their_beginning(
    lengths: list[int], batch_size: int, seq_len: int
) -> None:
    ids = in_documents(lengths)
    batches = Documents(ids, batch_size, seq_len, BEGIN, seed=0)
    assert sorted(predicted(batches)) == sorted(ids[ids != BEGIN].tolist())
    assert len(list(batches)) == len(batches)
    for batch in batches:
        assert batch.inputs_TB.shape[1] <= batch_size
        assert len(batch.inputs_TB) <= seq_len
        if batch.starts:
            assert (batch.inputs_TB[0] == BEGIN).all()


def test_documents_of_similar_length_stand_together() -> None:
    lengths = [1, 30, 2, 29, 3, 28]
    batches = list(Documents(in_documents(lengths), 3, 100, BEGIN))
    assert [len(batch.inputs_TB) for batch in batches] == [4, 31]


@given(documents, st.integers(1, 9), st.integers(1, 40))
def test_streams_and_windows_of_documents_predict_the_same_tokens(
    lengths: list[int], batch_size: int, seq_len: int
) -> None:
    ids = in_documents(lengths)
    expected = sorted(ids[ids != BEGIN].tolist())
    assert sorted(predicted(Streams(ids, batch_size, seq_len, BEGIN))) == expected
    assert sorted(predicted(Windows(ids, batch_size, seq_len, BEGIN))) == expected


@pytest.mark.parametrize("kind", [Windows, Documents])
def test_epochs_are_shuffled_by_seed_and_number(kind: type[Windows | Documents]) -> None:
    ids = in_documents([5] * 40)

    def epoch(seed: int, number: int) -> list[int]:
        batches = kind(ids, 2, 6, BEGIN, seed)
        batches.set_epoch(number)
        return predicted(batches)

    assert epoch(1, 0) == epoch(1, 0)
    assert epoch(1, 0) != epoch(1, 1)
    assert epoch(1, 0) != epoch(2, 0)
    assert sorted(epoch(1, 0)) == sorted(epoch(2, 1))


@given(**sizes, seed=st.integers(0, 2**32 - 1), epoch=st.integers(0, 1000))
def test_variable_streams_predict_the_same_tokens_in_as_many_batches(
    num_tokens: int, batch_size: int, seq_len: int, seed: int, epoch: int
) -> None:
    ids_N = torch.arange(num_tokens)
    fixed = Streams(ids_N, batch_size, seq_len)
    variable = Streams(ids_N, batch_size, seq_len, length_seed=seed)
    variable.set_epoch(epoch)
    batches = list(variable)
    assert len(batches) == len(variable) == len(fixed)
    joined_TB = torch.cat([batch.inputs_TB for batch in batches])
    assert torch.equal(joined_TB, fixed.inputs_TB)
    assert [batch.starts for batch in batches] == [True] + [False] * (len(batches) - 1)
    assert sorted(predicted(variable)) == sorted(predicted(fixed))
    # Each token weighs the same in the sum over the epoch.
    for batch in batches:
        assert batch.scale == pytest.approx(len(batch.inputs_TB) / seq_len)


def test_variable_streams_are_cut_elsewhere_in_each_epoch_and_alike_for_a_seed() -> None:
    streams = Streams(torch.arange(10_000), 4, 50, length_seed=3)
    lengths = []
    for epoch in (0, 1, 0):
        streams.set_epoch(epoch)
        lengths.append([len(batch.inputs_TB) for batch in streams])
    assert lengths[0] == lengths[2] != lengths[1]
    streams.set_epoch(1)
    begun = iter(streams)
    for _ in range(7):
        next(begun)
    state = streams.state_dict()
    again = Streams(torch.arange(10_000), 4, 50, length_seed=3)
    again.load_state_dict(state)
    assert [len(batch.inputs_TB) for batch in again] == lengths[1][7:]


@given(documents, st.integers(1, 5), st.integers(1, 7))
def test_values_of_documents_return_in_the_order_of_the_text(
    lengths: list[int], batch_size: int, seq_len: int
) -> None:
    ids_N = in_documents(lengths)
    batches = Documents(ids_N, batch_size, seq_len, BEGIN)
    targets_N = batches.in_text_order([batch.targets_TB for batch in batches])
    assert torch.equal(targets_N, ids_N[ids_N != BEGIN])


@given(**sizes)
def test_values_of_streams_return_in_the_order_of_the_text(
    num_tokens: int, batch_size: int, seq_len: int
) -> None:
    ids_N = torch.arange(num_tokens) % 7
    streams = Streams(ids_N, batch_size, seq_len, BEGIN)
    values = [torch.stack([batch.targets_TB, -batch.targets_TB]) for batch in streams]
    targets_N = ids_N[1:][ids_N[1:] != BEGIN]
    assert torch.equal(streams.in_text_order(values), torch.stack([targets_N, -targets_N]))


@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 2**31))
def test_no_batch_is_empty_and_none_of_the_stream_is_left_out(
    length: int, count: int, seed: int
) -> None:
    count = min(length, count)
    ends = variable_ends(length, count, torch.Generator().manual_seed(seed))
    assert len(ends) == count
    assert ends[-1] == length
    assert all(start < end for start, end in itertools.pairwise([0, *ends]))


def test_lengths_vary_as_the_paper_has_them() -> None:
    ends = variable_ends(70 * 4_000, 4_000, torch.Generator().manual_seed(0))
    lengths = torch.tensor(ends).diff().double()
    halved = lengths < 53
    assert 0.03 < halved.double().mean() < 0.07
    # Stretched by 1 / 0.975.
    assert abs(lengths[~halved].mean() - 70 / 0.975) < 0.5
    assert 4.5 < lengths[~halved].std() < 5.7
