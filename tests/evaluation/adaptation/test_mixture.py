"""rnnlm/evaluation/adaptation/mixture.py"""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.evaluation.adaptation.mixture import best_weights, mixed

likelihoods = st.floats(1e-6, 1.0)


@given(st.lists(st.tuples(likelihoods, likelihoods, likelihoods), min_size=1, max_size=30))
def test_no_other_weights_are_better(rows: list[tuple[float, ...]]) -> None:
    probability_MN = torch.tensor(rows, dtype=torch.float64).t()
    weight_M = best_weights(probability_MN)
    assert abs(weight_M.sum().item() - 1) < 1e-9
    assert (weight_M >= 0).all()
    lowest = -mixed(probability_MN, weight_M).log().mean()
    for first in range(11):
        for second in range(11 - first):
            weights = torch.tensor([first, second, 10 - first - second], dtype=torch.float64) / 10
            loss = -mixed(probability_MN, weights).log().mean()
            # The rounds end when one gains next to nothing, which is a little above the minimum.
            assert lowest <= loss + 1e-3


def test_a_model_that_is_always_better_gets_all_the_weight() -> None:
    probability_MN = torch.tensor([[0.5, 0.4, 0.9], [0.1, 0.0, 0.2]], dtype=torch.float64)
    assert best_weights(probability_MN)[0] > 0.999


def test_weights_are_those_a_mixture_was_drawn_with() -> None:
    generator = torch.Generator().manual_seed(0)
    coins = torch.tensor([[0.9, 0.1], [0.2, 0.8]], dtype=torch.float64)
    which = (torch.rand(200_000, generator=generator) < 0.3).long()
    tokens_N = (torch.rand(200_000, generator=generator) < coins[which, 1]).long()
    assert torch.allclose(
        best_weights(coins[:, tokens_N]),
        torch.tensor([0.7, 0.3], dtype=torch.float64),
        atol=0.01,
    )
