"""rnnlm/evaluation/adaptation/search.py"""

from __future__ import annotations

import pytest

from rnnlm.evaluation.adaptation.dynamic_evaluation import DynamicSettings
from rnnlm.evaluation.adaptation.search import DECAYS, RATES, best_settings, climb


@pytest.mark.parametrize("lowest", range(7))
@pytest.mark.parametrize("start", [0, 3, 6])
def test_it_walks_to_the_lowest_and_looks_at_nothing_twice(lowest: int, start: int) -> None:
    looked_at: list[float] = []

    def loss_of(value: float) -> float:
        looked_at.append(value)
        return abs(value - lowest)

    assert climb(range(7), start, loss_of) == lowest
    assert len(set(looked_at)) == len(looked_at)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("decay", DECAYS)
def test_both_settings_are_found(rate: float, decay: float) -> None:
    def loss_of(settings: DynamicSettings) -> float:
        return abs(RATES.index(settings.lr) - RATES.index(rate)) + abs(
            DECAYS.index(settings.decay) - DECAYS.index(decay)
        )

    assert best_settings(loss_of) == DynamicSettings(rate, decay)


def test_what_is_no_number_is_not_the_lowest() -> None:
    assert climb([1.0, 2.0, 3.0], 1, lambda v: float("nan") if v > 2 else v) == 1.0
