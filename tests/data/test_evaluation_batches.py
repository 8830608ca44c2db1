"""rnnlm/data/evaluation_batches.py"""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from rnnlm.data.batching import IGNORED, Batching, Documents, Streams
from rnnlm.data.evaluation_batches import (
    BATCH_TOKENS,
    CONTEXT,
    LONG_STREAM,
    MOST_STREAMS,
    STREAM_TOKENS,
    evaluation_rule,
    for_adaptation,
    for_evaluation,
)
from rnnlm.model.language_model import LanguageModel, State
from tests.support import networks

# A token that stands for `<bos>`; it is beyond all others.
BEGIN = 10**6

# Up to the most streams, and beyond.
lengths = st.integers(2, MOST_STREAMS * STREAM_TOKENS * 3 // 2)
running_text = pytest.mark.parametrize("batching", [Batching.stream, Batching.windows])


def streams_of(
    ids_N: Tensor, begin_id: int | None = None, given: int = 1, batching: Batching = Batching.stream
) -> Streams:
    streams = for_evaluation(batching, ids_N, begin_id, given)
    assert isinstance(streams, Streams)
    return streams


@running_text
@settings(deadline=None)
@given(lengths, st.integers(1, 2 * CONTEXT))
def test_every_token_counts_once_and_in_order(batching: Batching, num: int, given: int) -> None:
    given = min(given, num - 1)
    streams = streams_of(torch.arange(num), given=given, batching=batching)
    batches = list(streams)
    targets_N = streams.in_text_order([batch.targets_TB for batch in batches])
    assert torch.equal(targets_N, torch.arange(given, num))
    assert sum(batch.num_tokens for batch in batches) == streams.num_tokens == num - given
    for batch in batches:
        assert batch.num_tokens == int((batch.targets_TB != IGNORED).sum())
        assert batch.inputs_TB.numel() <= BATCH_TOKENS
    assert [batch.starts for batch in batches] == [True] + [False] * (len(batches) - 1)


@settings(deadline=None)
@given(lengths, st.integers(2, 50))
def test_tokens_that_begin_a_text_are_not_predicted(num: int, every: int) -> None:
    ids_N = torch.arange(num)
    ids_N[::every] = BEGIN
    streams = streams_of(ids_N, BEGIN)
    targets_N = streams.in_text_order([batch.targets_TB for batch in streams])
    assert torch.equal(targets_N, ids_N[ids_N != BEGIN])
    assert streams.num_tokens == len(targets_N)


@settings(deadline=None)
@given(lengths)
def test_a_token_is_predicted_from_all_before_it_or_at_least_the_context(num: int) -> None:
    streams = streams_of(torch.arange(num))
    inputs_TB, targets_TB = streams.inputs_TB, streams.targets_TB
    for row in range(inputs_TB.shape[1]):
        counted = (targets_TB[:, row] != IGNORED).nonzero().flatten()
        first, last = int(counted[0]), int(counted[-1])
        target = int(targets_TB[first, row])
        # What the stream has read by then is the text right before the token.
        assert torch.equal(inputs_TB[: first + 1, row], torch.arange(target - first - 1, target))
        assert first + 1 >= min(CONTEXT, target)
        # From there on it predicts each token in turn.
        assert torch.equal(inputs_TB[first : last + 1, row] + 1, targets_TB[first : last + 1, row])


@settings(deadline=None)
@given(lengths)
def test_context_costs_no_more_than_the_text_and_saves_steps(num: int) -> None:
    streams = streams_of(torch.arange(num))
    steps, rows = streams.inputs_TB.shape
    assert steps * rows <= 2 * (num - 1) + rows
    assert steps <= CONTEXT + max(2 * STREAM_TOKENS, -(-num // MOST_STREAMS))


@running_text
def test_a_short_text_is_one_stream(batching: Batching) -> None:
    num = CONTEXT + 2 * STREAM_TOKENS
    streams = streams_of(torch.arange(num), batching=batching)
    assert streams.inputs_TB.shape == (num - 1, 1)
    assert streams.num_tokens == num - 1


def log_probabilities(network: LanguageModel, streams: Streams) -> Tensor:
    """The log-probability of each token, in the order of the text."""
    state: State | None = None
    found = []
    with torch.no_grad():
        for batch in streams:
            logits_TBV, state = network(batch.inputs_TB, None if batch.starts else state)
            index_TB1 = batch.targets_TB.clamp(min=0).unsqueeze(2)
            found.append(logits_TBV.log_softmax(2).gather(2, index_TB1).squeeze(2))
    return streams.in_text_order(found)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_probabilities_are_those_of_one_stream(cell: str) -> None:
    network = networks.network(cell, "embed", 2).double().eval()
    if cell == "lstm":
        # It forgets so slowly that the context does not tell all.
        for layer in network.layers():
            layer.bias_ih.data[networks.H : 2 * networks.H] += 2.0
    ids_N = torch.randint(networks.V, (5000,), generator=torch.Generator().manual_seed(0))
    many = streams_of(ids_N)
    one_N = log_probabilities(network, Streams(ids_N, 1, 1000))
    many_N = log_probabilities(network, many)
    first_row = int((many.targets_TB[:, 0] != IGNORED).sum())
    torch.testing.assert_close(many_N[:first_row], one_N[:first_row], rtol=0, atol=1e-13)
    torch.testing.assert_close(many_N, one_N, rtol=0, atol=1e-5)
    without_N = log_probabilities(network, Streams(ids_N, many.inputs_TB.shape[1], 1000))
    error, error_without = (many_N - one_N).abs().max(), (without_N - one_N).abs().max()
    assert error < 1e-2 * error_without
    assert (error > 1e-13) == (cell == "lstm")


def test_documents_are_evaluated_as_documents() -> None:
    ids_N = torch.tensor([BEGIN, 2, 3, BEGIN, *range(4, 300)])
    documents = for_evaluation(Batching.documents, ids_N, BEGIN)
    assert isinstance(documents, Documents)
    targets_N = documents.in_text_order([batch.targets_TB for batch in documents])
    assert torch.equal(targets_N, ids_N[ids_N != BEGIN])
    assert isinstance(for_adaptation(Batching.documents, ids_N, BEGIN), Documents)


@pytest.mark.parametrize(("num", "streams"), [(9000, 1), (10 * LONG_STREAM + 5, 10)])
def test_a_network_adapts_to_few_long_streams(num: int, streams: int) -> None:
    batches = for_adaptation(Batching.stream, torch.arange(num), None)
    assert isinstance(batches, Streams)
    assert batches.inputs_TB.shape == (-(-(num - 1) // streams), streams)
    assert batches.num_tokens == num - 1


def test_the_rule_has_a_name_for_running_text() -> None:
    assert evaluation_rule(Batching.stream) == evaluation_rule(Batching.windows) == "context-512"
    assert evaluation_rule(Batching.documents) is None
