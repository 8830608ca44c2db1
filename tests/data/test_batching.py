"""rnnlm/data/batching.py"""

from __future__ import annotations

import itertools

import torch
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.data.batching import EVALUATION_STREAM, IGNORED, Streams

sizes = {
    "num_tokens": st.integers(2, 300),
    "batch_size": st.integers(1, 9),
    "seq_len": st.integers(1, 40),
}


@given(**sizes)
def test_every_token_but_the_first_is_predicted_once(
    num_tokens: int, batch_size: int, seq_len: int
) -> None:
    tokens_N = torch.arange(num_tokens)
    streams = Streams(tokens_N, batch_size, seq_len)
    seen: list[int] = []
    for batch in streams:
        counts = batch.targets_TB != IGNORED
        assert batch.num_tokens == int(counts.sum()) > 0
        # What is predicted is what follows, never the input itself.
        assert torch.equal(batch.targets_TB[counts], batch.inputs_TB[counts] + 1)
        seen += batch.targets_TB[counts].tolist()
    assert sorted(seen) == list(range(1, num_tokens))
    assert len(list(streams)) == len(streams)


@given(**sizes)
def test_a_batch_continues_where_the_one_before_stopped(
    num_tokens: int, batch_size: int, seq_len: int
) -> None:
    batches = list(Streams(torch.arange(num_tokens), batch_size, seq_len))
    assert [batch.starts for batch in batches] == [True] + [False] * (len(batches) - 1)
    for before, after in itertools.pairwise(batches):
        real = after.targets_TB[0] != IGNORED
        assert torch.equal(after.inputs_TB[0][real], before.targets_TB[-1][real])


def test_the_order_is_the_same_in_every_epoch() -> None:
    streams = Streams(torch.arange(100), 4, 7)
    for first, second in zip(streams, streams, strict=True):
        assert torch.equal(first.inputs_TB, second.inputs_TB)


def test_a_batch_is_a_slice_and_not_a_copy() -> None:
    streams = Streams(torch.arange(100), 4, 7)
    assert next(iter(streams)).inputs_TB.data_ptr() == streams.inputs_NB.data_ptr()


def test_a_short_text_is_evaluated_as_one_stream() -> None:
    streams = Streams.for_evaluation(torch.arange(EVALUATION_STREAM))
    assert streams.inputs_NB.shape == (EVALUATION_STREAM - 1, 1)


def test_a_long_text_is_evaluated_in_streams_long_enough_to_compare() -> None:
    streams = Streams.for_evaluation(torch.arange(10 * EVALUATION_STREAM + 5))
    assert streams.inputs_NB.shape[1] == 10
    assert len(streams.inputs_NB) >= EVALUATION_STREAM
