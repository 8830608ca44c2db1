"""The rule by which a split is cut into batches to be measured.

A running text is read in many streams at once, which is fast on every device. Each stream but the
first begins with `CONTEXT` tokens of the text before it, which are read and not counted. So every
token counts once, and is predicted from at least `CONTEXT` tokens, or all that come before it. The
rule depends on the length of the text alone: not on the device, nor on the batches of training.
"""

from __future__ import annotations

from torch import Tensor

from rnnlm.data.batching import Batching, Documents, Streams

# With half of it, a GRU that remembers for long had a perplexity 0.06 % lower than in one stream.
CONTEXT = 512
# A stream has at least this many tokens that count: context never costs more than the text itself.
STREAM_TOKENS = 512
# A token costs hardly less in more streams, and the longer they are, the less their context costs.
MOST_STREAMS = 32
# The number of tokens that are read at once: large batches are fast.
BATCH_TOKENS = 4_096
# The number of documents side by side.
DOCUMENTS = 64
# The least length of a stream to which a network adapts as it reads.
LONG_STREAM = 20_000


def for_evaluation(
    batching: Batching, ids_N: Tensor, begin_id: int | None, given: int = 1
) -> Streams | Documents:
    """Return the batches of a whole split: documents if training has them, else many streams.

    Windows are evaluated as streams.

    Args:
        given: the number of tokens at the beginning of a running text that are not predicted.
    """
    if batching is Batching.documents:
        return _documents(ids_N, begin_id)
    streams = min(MOST_STREAMS, max(1, (len(ids_N) - 1 - CONTEXT) // STREAM_TOKENS))
    context = CONTEXT if streams > 1 else 0
    return Streams(ids_N, streams, BATCH_TOKENS // streams, begin_id, None, context, given)


def for_adaptation(batching: Batching, ids_N: Tensor, begin_id: int | None) -> Streams | Documents:
    """Return the batches of a split for a network that adapts as it reads.

    They are documents if training has them, else a few long streams: the network must have read
    much more of the text before a token than `CONTEXT` tokens to have adapted to it.
    """
    if batching is Batching.documents:
        return _documents(ids_N, begin_id)
    streams = max(1, (len(ids_N) - 1) // LONG_STREAM)
    return Streams(ids_N, streams, max(1, BATCH_TOKENS // streams), begin_id)


def evaluation_rule(batching: Batching) -> str | None:
    """Return the name of the rule of `for_evaluation` for records; documents need none."""
    return None if batching is Batching.documents else f"context-{CONTEXT}"


def _documents(ids_N: Tensor, begin_id: int | None) -> Documents:
    assert begin_id is not None
    return Documents(ids_N, DOCUMENTS, BATCH_TOKENS // DOCUMENTS, begin_id)
