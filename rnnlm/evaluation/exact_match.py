"""How many tasks a model answers without a mistake, in all and by kind of task.

A greedy answer is right exactly if, at each of its tokens in turn, the most likely token after the
right beginning is the right one; so all answers are checked in one pass, without generating.

Shapes: D documents, N predicted tokens, T time steps, B rows, V vocabulary.
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
    """Whether a document's every token after the mark is the most likely one, (D,), as they come.

    Args:
        mark: the token between the task and its answer.
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
    """The share of documents that are answered without a mistake."""
    return int(right_D.sum()) / len(right_D)


def exact_match_by(
    right_D: Tensor, kinds: Iterable[Mapping[str, int]]
) -> dict[str, dict[str, dict[str, float]]]:
    """The same share of each kind of task, and how many tasks it is of.

    Args:
        kinds: of each document, as `Corpus.kinds` has them.

    Returns:
        Such as `{"digits": {"1": {"share": 0.9, "tasks": 20}}}`, in the order of the numbers.
    """
    right: Counter[tuple[str, int]] = Counter()
    tasks: Counter[tuple[str, int]] = Counter()
    for is_right, of_document in zip(right_D.tolist(), kinds, strict=True):
        for kind in of_document.items():
            right[kind] += is_right
            tasks[kind] += 1
    shares: dict[str, dict[str, dict[str, float]]] = {}
    for name, number in sorted(tasks):
        count = tasks[name, number]
        share = {"share": right[name, number] / count, "tasks": count}
        shares.setdefault(name, {})[str(number)] = share
    return shares
