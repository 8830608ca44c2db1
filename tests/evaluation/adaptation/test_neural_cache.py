"""rnnlm/evaluation/adaptation/neural_cache.py"""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from rnnlm.data.batching import IGNORED
from rnnlm.evaluation.adaptation.neural_cache import NeuralCache

THETAS = (0.3, 1.0)


def by_definition(hidden_TH: Tensor, targets_T: list[int], theta: float, size: int) -> list[float]:
    """Equation 3 of the paper, token by token."""
    found = []
    for t, target in enumerate(targets_T):
        remembered = [i for i in range(max(0, t - size), t) if targets_T[i] != IGNORED]
        weights = {i: math.exp(theta * float(hidden_TH[t] @ hidden_TH[i])) for i in remembered}
        own = sum(weight for i, weight in weights.items() if targets_T[i] == target)
        found.append(own / sum(weights.values()) if weights else 0.0)
    return found


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize("cuts", [[12], [1] * 12, [5, 7], [2, 9, 1]])
def test_it_is_the_equation_however_the_text_is_cut(size: int, cuts: list[int]) -> None:
    generator = torch.Generator().manual_seed(0)
    hidden_TBH = torch.randn(12, 2, 4, generator=generator)
    targets_TB = torch.randint(3, (12, 2), generator=generator)
    targets_TB[4, 0] = targets_TB[0, 1] = IGNORED
    cache = NeuralCache(size, THETAS)
    parts = zip(hidden_TBH.split(cuts), targets_TB.split(cuts), strict=True)
    p_FTB = torch.cat([cache.probabilities(h, t) for h, t in parts], 1)
    for index, theta in enumerate(THETAS):
        for row in range(2):
            targets = targets_TB[:, row].tolist()
            expected = by_definition(hidden_TBH[:, row], targets, theta, size)
            for t, value in enumerate(expected):
                if targets[t] != IGNORED:
                    assert p_FTB[index, t, row].item() == pytest.approx(value, abs=1e-5)


def test_nothing_is_remembered_of_what_is_forgotten() -> None:
    hidden_TBH, targets_TB = torch.ones(3, 1, 2), torch.ones(3, 1, dtype=torch.long)
    cache = NeuralCache(10, [1.0])
    first = cache.probabilities(hidden_TBH, targets_TB)
    assert first.flatten().tolist() == [0, 1, 1]
    assert cache.probabilities(hidden_TBH, targets_TB).flatten().tolist() == [1, 1, 1]
    cache.forget()
    assert torch.equal(cache.probabilities(hidden_TBH, targets_TB), first)
