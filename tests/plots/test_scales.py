"""rnnlm/plots/scales.py"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes

from rnnlm.plots.layout import new_axes
from rnnlm.plots.scales import MOST_INTERVALS, is_near, set_scale, spans_much, with_unit
from rnnlm.plots.style import drawing


def scaled(*values: float, whole: bool = False) -> Axes:
    with drawing():
        axes = new_axes()
        axes.plot([0.0] * len(values), values)
        set_scale(axes, "y", values, "ppl", whole)
        axes.get_figure(root=True).canvas.draw()  # type: ignore[union-attr]
    return axes


def ticks(axes: Axes) -> list[str]:
    """What is written at the ticks that can be seen."""
    low, high = axes.get_ylim()
    places = zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
    return [label.get_text() for place, label in places if low <= place <= high]


def test_perplexities_from_5_to_90_are_on_a_logarithmic_scale() -> None:
    axes = scaled(5.0, 90.0)
    assert axes.get_yscale() == "log"
    assert axes.get_ylabel() == "ppl, log scale"
    assert ticks(axes) == ["5", "10", "20", "50", "100"]
    assert ticks(scaled(5.0, 5000.0)) == ["10", "100", "1,000"]
    assert scaled(4.7, 18.0).get_yscale() == "linear"


def test_a_scale_with_zero_is_linear() -> None:
    assert not spans_much([0.0, 500.0])


def test_a_baseline_far_off_does_not_press_the_others_together() -> None:
    assert [is_near(guide, [4.7, 7.0]) for guide in (5.5, 8.0, 21.0)] == [True, True, False]


def test_epochs_have_whole_numbers() -> None:
    assert ticks(scaled(1.0, 2.0, 3.0, whole=True)) == ["1", "2", "3"]


@given(
    st.lists(
        st.floats(1e-290, 1e100) | st.integers(-(10**9), 10**9).map(float), min_size=1, max_size=5
    )
)
@settings(max_examples=20, deadline=None)
def test_any_values_have_a_scale_they_are_on(values: list[float]) -> None:
    axes = scaled(*values)
    low, high = axes.get_ylim()
    assert low < high
    assert low <= min(values)
    assert max(values) <= high
    assert len(ticks(axes)) <= MOST_INTERVALS + 2


@given(st.floats(0.01, 1e9), st.floats(1.01, 1e6))
@settings(max_examples=20, deadline=None)
def test_an_axis_has_at_least_two_numbers(low: float, ratio: float) -> None:
    assert len(set(ticks(scaled(low, low * ratio)))) >= 2


def test_thousands_are_apart_and_a_minus_is_one() -> None:
    assert ticks(scaled(0.0, 400_000.0))[1] == "100,000"
    assert ticks(scaled(-2.5, 0.0))[0] == "−2.5"


@pytest.mark.parametrize(
    ("seconds", "label", "size"),
    [(26.0, "t (seconds)", 1), (400.0, "t (minutes)", 60), (1e5, "t (hours)", 3600)],
)
def test_time_is_in_a_unit_with_few_digits(seconds: float, label: str, size: float) -> None:
    assert with_unit("t", seconds, is_time=True) == (label, size)


def test_many_tokens_are_counted_in_millions() -> None:
    assert with_unit("tokens", 965_100, is_time=False) == ("tokens", 1)
    assert with_unit("tokens", 4e7, is_time=False) == ("tokens (millions)", 1e6)
