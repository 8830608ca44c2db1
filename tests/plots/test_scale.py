"""rnnlm/plots/scale.py"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.plots.scale import MOST_INTERVALS, Scale, in_words, number, time_unit, token_unit
from rnnlm.results.columns import COLUMNS


def test_perplexities_from_5_to_500_are_on_a_logarithmic_scale() -> None:
    scale = Scale.of([5.0, 500.0])
    assert scale.logarithmic
    assert scale.numbers == ["5", "10", "20", "50", "100", "200", "500"]
    assert not Scale.of([4.7, 18.0]).logarithmic


def test_a_scale_with_zero_is_linear() -> None:
    assert not Scale.of([0.0, 500.0]).logarithmic


def test_a_baseline_far_off_does_not_press_the_others_together() -> None:
    scale = Scale.of([4.7, 7.0], guides=[5.5, 8.0, 21.0])
    assert scale.left_out == (21.0,)
    assert scale.limits[1] > 8


def test_progress_starts_from_zero_and_ends_with_the_last_point() -> None:
    assert Scale.of_progress([1.0, 20.0], whole=True).limits == (0, 20)
    assert Scale.of_progress([1.0, 2.0, 3.0], whole=True).numbers == ["0", "1", "2", "3"]
    assert Scale.of_progress([], whole=False).limits == (0, 1)


@given(
    st.lists(
        st.floats(1e-290, 1e100) | st.integers(-(10**9), 10**9).map(float), min_size=1, max_size=5
    )
)
def test_any_values_have_a_scale_they_are_on(values: list[float]) -> None:
    scale = Scale.of(values)
    low, high = scale.limits
    assert low < high
    assert low <= min(values)
    assert max(values) <= high
    assert all(low <= tick <= high for tick in scale.ticks)
    assert len(scale.ticks) <= MOST_INTERVALS + 2


@given(st.floats(0.01, 1e9), st.floats(1.01, 1e6))
def test_an_axis_has_at_least_two_numbers(low: float, ratio: float) -> None:
    assert len(set(Scale.of([low, low * ratio]).numbers)) >= 2


def test_thousands_are_apart_and_a_minus_is_one() -> None:
    assert [number(v) for v in (422214.0, 0.1 + 0.2, -2.5)] == ["422,214", "0.3", "−2.5"]


@pytest.mark.parametrize(
    ("seconds", "label", "size"),
    [(26.0, "t (seconds)", 1), (400.0, "t (minutes)", 60), (1e5, "t (hours)", 3600)],
)
def test_time_is_in_a_unit_with_few_digits(seconds: float, label: str, size: float) -> None:
    unit = time_unit("t", seconds)
    assert (unit.label, unit.size) == (label, size)


def test_many_tokens_are_counted_in_millions() -> None:
    assert token_unit("tokens", 965_100).label == "tokens"
    assert token_unit("tokens", 4e7).label == "tokens (millions)"


def test_figures_are_named_with_their_unit() -> None:
    assert in_words(COLUMNS["test_ppl"]) == "test perplexity"
    assert in_words(COLUMNS["validation_loss"]) == "validation loss (nats per token)"
    assert in_words(COLUMNS["test_bpc"]) == "test bits per character"
    assert in_words(COLUMNS["exact_match"]) == "exact match"
