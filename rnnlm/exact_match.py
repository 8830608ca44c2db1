"""How many tasks a model answers without a mistake.

A greedy answer is right exactly if, at each of its tokens in turn, the most likely token after the
right beginning is the right one; so all answers are checked in one pass, without generating.
"""

from __future__ import annotations

import torch

from rnnlm.data.batching import IGNORED, Batches
from rnnlm.model.language_model import LanguageModel


@torch.no_grad()
def exact_match(network: LanguageModel, documents: Batches, mark: int) -> float:
    """The share of documents whose every token after the mark is the most likely one.

    Args:
        documents: whole documents, each in one batch.
        mark: the token between the task and its answer.
    """
    device = next(network.parameters()).device
    was_training = network.training
    network.eval()
    right = total = 0
    for batch in documents:
        inputs_TB, targets_TB = batch.inputs_TB.to(device), batch.targets_TB.to(device)
        logits_TBV, _ = network(inputs_TB)
        in_answer_TB = (inputs_TB == mark).cumsum(0) > 0
        asked_TB = in_answer_TB & (targets_TB != IGNORED)
        wrong_B = ((logits_TBV.argmax(-1) != targets_TB) & asked_TB).any(0)
        right += int((~wrong_B).sum())
        total += inputs_TB.shape[1]
    network.train(was_training)
    return right / total
