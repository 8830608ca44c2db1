"""The share of tasks that a model answers without a mistake, in all and by kind of task.

A greedy answer is right if and only if each of its tokens is the most likely one after the right
tokens before it. So one pass over the right answers is enough, without generation.

Shapes: D documents, N predicted tokens, T time, B batch, V vocabulary.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from rnnlm.data.batching import Documents
from rnnlm.model.language_model import LanguageModel


@torch.no_grad()
def answered(network: LanguageModel, documents: Documents, mark: int) -> Tensor:
    """Tell for each document, (D,) bool, whether every token of its answer is the most likely one.

    Args:
        mark: the token between a task and its answer.
    """
    device = next(network.parameters()).device
    was_training = network.training
    network.eval()
    mistakes = []
    for batch in documents:
        inputs_TB, targets_TB = batch.inputs_TB.to(device), batch.targets_TB.to(device)
        logits_TBV, _ = network(inputs_TB)
        in_answer_TB = (inputs_TB == mark).cumsum(0) > 0
        mistakes.append((logits_TBV.argmax(-1) != targets_TB) & in_answer_TB)
    network.train(was_training)
    mistakes_N = documents.in_text_order(mistakes).cpu()
    lengths_D = documents.lengths_N
    document_N = torch.repeat_interleave(torch.arange(len(lengths_D)), lengths_D)
    return torch.bincount(document_N[mistakes_N], minlength=len(lengths_D)) == 0


def exact_match(right_D: Tensor) -> float:
    """Return the share of documents with a right answer."""
    return int(right_D.sum()) / len(right_D)


def exact_match_by(
    right_D: Tensor, properties: Iterable[Mapping[str, int]]
) -> dict[str, dict[str, dict[str, float]]]:
    """Return the share of right answers by kind of task, and the number of tasks of each kind.

    Args:
        properties: those of each document, from `Corpus.task_properties`.

    Returns:
        A dictionary such as `{"digits": {"1": {"share": 0.9, "tasks": 20}}}`, sorted by number.
    """
    right: Counter[tuple[str, int]] = Counter()
    tasks: Counter[tuple[str, int]] = Counter()
    for is_right, document_properties in zip(right_D.tolist(), properties, strict=True):
        for kind in document_properties.items():
            right[kind] += is_right
            tasks[kind] += 1
    shares: dict[str, dict[str, dict[str, float]]] = {}
    for name, number in sorted(tasks):
        count = tasks[name, number]
        share = {"share": right[name, number] / count, "tasks": count}
        shares.setdefault(name, {})[str(number)] = share
    return shares
