"""The probabilities of a held-out split's tokens, by a network and by its cache.

Shapes: T time, B batch, V vocabulary, N predicted tokens in the order of the text, F flatnesses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnlm.data.batching import IGNORED, Batch, Documents, Streams
from rnnlm.evaluation.adaptation.dynamic_evaluation import DynamicEvaluation
from rnnlm.evaluation.adaptation.neural_cache import NeuralCache
from rnnlm.model.language_model import LanguageModel, State, detach

# The number of steps read at once, unless the weights learn in between.
STEPS = 256


@dataclass(frozen=True)
class TokenProbabilities:
    """Probabilities of a split's tokens, float64."""

    network_N: Tensor
    cache_FN: Tensor | None


def segments(batches: Iterable[Batch], steps: int) -> Iterator[Batch]:
    """Cut batches into segments of at most `steps` time steps."""
    for batch in batches:
        # All counts of a batch at once, because a GPU must be waited for.
        counts_T = (batch.targets_TB != IGNORED).sum(1).tolist()
        for start in range(0, len(counts_T), steps):
            part = slice(start, start + steps)
            yield Batch(
                batch.inputs_TB[part],
                batch.targets_TB[part],
                sum(counts_T[part]),
                batch.starts and start == 0,
            )


def predict(
    network: LanguageModel,
    batches: Streams | Documents,
    steps: int = STEPS,
    cache: NeuralCache | None = None,
    dynamic: DynamicEvaluation | None = None,
    most_segments: int | None = None,
) -> TokenProbabilities:
    """Predict every token of a split; afterwards the network has its own weights again.

    Args:
        steps: number of time steps after which `dynamic` learns from them.
        most_segments: stop after this many segments. The tokens are then not in the order of the
            text, and there are no probabilities of the cache.
    """
    network.eval()
    found: list[Tensor] = []
    cached: list[Tensor] = []
    state: State | None = None
    try:
        with torch.set_grad_enabled(dynamic is not None):
            for number, batch in enumerate(segments(batches, steps)):
                if number == most_segments:
                    break
                if batch.starts:
                    state = None
                    if cache is not None:
                        cache.forget()
                hidden_TBH, state = network.hidden(batch.inputs_TB, state)
                log_p_TB = log_probabilities(network, hidden_TBH, batch.targets_TB)
                if dynamic is not None and batch.num_tokens:
                    (-log_p_TB.sum() / batch.num_tokens).backward()
                    dynamic.learn()
                state = detach(state)
                found.append(log_p_TB.detach().double().exp())
                if cache is not None:
                    hidden_TBH = hidden_TBH.detach()
                    cached.append(cache.probabilities(hidden_TBH, batch.targets_TB).double())
    finally:
        if dynamic is not None:
            dynamic.put_back()
    if most_segments is not None:
        return TokenProbabilities(torch.cat([p_TB.flatten() for p_TB in found]), None)
    cache_FN = batches.in_text_order(cached) if cache is not None else None
    return TokenProbabilities(batches.in_text_order(found), cache_FN)


def log_probabilities(network: LanguageModel, hidden_TBH: Tensor, targets_TB: Tensor) -> Tensor:
    """Return the log-probability of each target, (T, B); 0 for an ignored one."""
    logits_TBV = network.output(network.projected(hidden_TBH))
    nats = torch.nn.functional.cross_entropy(
        logits_TBV.flatten(0, 1), targets_TB.flatten(), ignore_index=IGNORED, reduction="none"
    )
    return -nats.view_as(targets_TB)
