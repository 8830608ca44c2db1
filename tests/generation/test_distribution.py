"""rnnlm/generation/distribution.py"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from rnnlm.generation.distribution import draw, penalised, tempered, top_k, top_p

DRAWS = 100_000
LOGITS = torch.tensor([[2.0, 1.9, 0.5, -0.3, 1.0, -4.0, 0.0, 2.05]], dtype=torch.float64)

rows_of_logits = st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=12).map(
    lambda row: torch.tensor([row], dtype=torch.float64)
)


def expected_distribution(temperature: float, k: int | None, p: float | None) -> np.ndarray:
    """Return the distribution by its definition, one token at a time."""
    weights = {i: math.exp((x - 2.05) / temperature) for i, x in enumerate(LOGITS[0].tolist())}
    likeliest = sorted(weights, key=lambda i: -weights[i])[:k]
    total = sum(weights[i] for i in likeliest)
    kept, mass = [], 0.0
    for index in likeliest:
        if p is None or mass < p:
            kept.append(index)
        mass += weights[index] / total
    total = sum(weights[i] for i in kept)
    return np.array([weights[i] / total if i in kept else 0.0 for i in weights])


@pytest.mark.parametrize("temperature", [0.01, 0.5, 1.0, 2.0])
@pytest.mark.parametrize(("k", "p"), [(None, None), (3, None), (None, 0.8), (5, 0.6), (1, 0.9)])
def test_frequencies_are_those_of_the_softmax(
    temperature: float, k: int | None, p: float | None
) -> None:
    logits_BV = tempered(LOGITS, temperature)
    logits_BV = logits_BV if k is None else top_k(logits_BV, k)
    logits_BV = logits_BV if p is None else top_p(logits_BV, p)
    uniform = torch.from_numpy(np.random.default_rng(3).random(DRAWS))
    observed = np.bincount(draw(logits_BV.expand(DRAWS, -1), uniform), minlength=8)
    expected = DRAWS * expected_distribution(temperature, k, p)
    assert not observed[expected == 0].any()
    # Cells in which hardly anything is expected are one.
    likely = expected >= 5
    if likely.sum() > 1:
        rest = [[values[~likely].sum()] for values in (observed, expected)]
        cells = [np.append(v[likely], r) for v, r in zip((observed, expected), rest, strict=True)]
        if cells[1][-1] < 5:
            cells = [np.append(v[:-2], v[-2:].sum()) for v in cells]
        assert stats.chisquare(*cells).pvalue > 1e-3


@given(rows_of_logits, st.floats(5e-324, 1e300), st.floats(0, 1, exclude_max=True))
def test_at_any_temperature_a_possible_token_is_drawn(
    logits_BV: Tensor, temperature: float, uniform: float
) -> None:
    shaped_BV = tempered(logits_BV, temperature)
    assert not shaped_BV.isnan().any()
    (token,) = draw(shaped_BV, torch.tensor([uniform], dtype=torch.float64)).tolist()
    assert shaped_BV.softmax(1)[0, token] > 0


@given(rows_of_logits)
def test_a_temperature_near_0_is_greedy(logits_BV: Tensor) -> None:
    shaped_BV = tempered(logits_BV, 1e-300)
    (token,) = draw(shaped_BV, torch.tensor([0.0], dtype=torch.float64)).tolist()
    assert token == logits_BV.argmax(1).item()


@pytest.mark.parametrize("uniform", [0.0, 0.5, 1 - 2**-53])
def test_a_token_without_probability_is_never_drawn(uniform: float) -> None:
    impossible = torch.full((1, 3), -torch.inf, dtype=torch.float64)
    logits_BV = torch.cat([impossible, torch.zeros(1, 1), impossible], 1)
    assert draw(logits_BV, torch.tensor([uniform], dtype=torch.float64)).item() == 3


@given(rows_of_logits, st.integers(1, 15))
def test_top_k_keeps_the_k_largest(logits_BV: Tensor, k: int) -> None:
    kept = top_k(logits_BV, k)[0].isfinite()
    by_size = logits_BV[0].sort(descending=True, stable=True).indices[:k]
    assert set(kept.nonzero().flatten().tolist()) == set(by_size.tolist())


@given(rows_of_logits, st.floats(0, 1, exclude_min=True))
def test_top_p_keeps_the_fewest_that_make_up_p(logits_BV: Tensor, p: float) -> None:
    kept_BV = top_p(logits_BV, p).isfinite()
    p_BV = logits_BV.softmax(1)
    kept = p_BV[kept_BV]
    assert len(kept) >= 1
    assert kept.sum() >= p - 1e-9
    assert len(kept) == 1 or kept.sum() - kept.min() < p
    assert len(kept) == len(p_BV[0]) or kept.min() >= p_BV[~kept_BV].max()


@given(rows_of_logits, st.floats(1, 10))
def test_a_penalty_makes_seen_tokens_no_more_likely(logits_BV: Tensor, penalty: float) -> None:
    seen_BV = torch.zeros_like(logits_BV, dtype=torch.bool)
    seen_BV[:, ::2] = True
    result_BV = penalised(logits_BV, seen_BV, penalty)
    assert (result_BV <= logits_BV).all()
    assert torch.equal(result_BV[~seen_BV], logits_BV[~seen_BV])
    for before, after in zip(logits_BV[seen_BV], result_BV[seen_BV], strict=True):
        assert after == pytest.approx(before / penalty if before > 0 else before * penalty)
