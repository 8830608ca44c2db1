"""rnnlm/results/statistics.py"""

from __future__ import annotations

import math
import subprocess
import sys
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rnnlm.results.statistics import ROUNDING, Summary, holm, paired_t_test

# The quantile of t with 4 degrees of freedom that 2.5 % are above, from a printed table.
T_OF_FIVE = 2.776
SEEDS = [2.0, 4.0, 4.0, 5.0, 10.0]

values = st.lists(st.floats(-10, 10), min_size=2, max_size=8)
probabilities = st.lists(st.floats(0, 1), max_size=12)


def test_a_summary_by_hand() -> None:
    # The mean is 25 / 5 and the squares of what is left are 9, 1, 1, 0 and 25.
    summary = Summary.of(SEEDS)
    assert (summary.n, summary.mean, summary.std) == (5, 5.0, 3.0)
    assert summary.low == pytest.approx(5 - T_OF_FIVE * 3 / math.sqrt(5), abs=1e-3)
    assert summary.high == pytest.approx(5 + T_OF_FIVE * 3 / math.sqrt(5), abs=1e-3)


@given(values)
def test_a_summary_is_scipys(values: list[float]) -> None:
    summary = Summary.of(values)
    assert summary.std is not None
    # Below this, scipy warns.
    if summary.std > 1e-9:
        assert (summary.mean, summary.std) == pytest.approx(
            (stats.tmean(values), stats.tstd(values)), abs=1e-12
        )
        interval = stats.t.interval(0.95, len(values) - 1, stats.tmean(values), stats.sem(values))
        assert (summary.low, summary.high) == pytest.approx(interval, abs=1e-9)


def test_one_value_has_no_interval() -> None:
    assert Summary.of([3]) == Summary(1, 3.0)


def test_nothing_has_no_summary() -> None:
    with pytest.raises(ValueError, match="mean"):
        Summary.of([])


@pytest.mark.parametrize("diverged", [[math.inf, 3.0], [math.nan, 3.0], [math.inf, -math.inf]])
def test_what_diverged_has_no_interval(diverged: list[float]) -> None:
    summary = Summary.of(diverged)
    assert not math.isfinite(summary.mean)
    assert (summary.n, summary.std, summary.low, summary.high) == (2, None, None, None)


def test_a_perplexity_near_the_largest_number_overflows_nothing() -> None:
    assert Summary.of([1.7e308, 1.7e308]).mean == 1.7e308


def test_a_standard_deviation_is_no_less_than_it_is_known_to_be() -> None:
    assert Summary.of([1.0, 1.0], least_std=0.5).std == 0.5
    assert Summary.of(SEEDS, least_std=0.5) == Summary.of(SEEDS)
    assert paired_t_test([1.0, 1.0], least_std=math.sqrt(2)) == pytest.approx(0.5)  # t is 1
    assert paired_t_test(SEEDS, least_std=0.5) == paired_t_test(SEEDS)


def test_the_paired_test_by_hand() -> None:
    # The mean is 2 and the standard deviation 2√2, so t is 1; with one degree of freedom t is
    # Cauchy's, of which a half is farther than 1 from zero.
    assert paired_t_test([0.0, 4.0]) == pytest.approx(0.5)


@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(-10, 10)), min_size=2, max_size=8))
def test_the_paired_test_is_scipys(pairs: list[tuple[float, float]]) -> None:
    differences = [a - b for a, b in pairs]
    std = Summary.of(differences).std
    # Below this, scipy warns and its p is determined by rounding.
    if std is not None and std > 1e-6:
        expected = stats.ttest_rel(*zip(*pairs, strict=True)).pvalue
        assert paired_t_test(differences) == pytest.approx(expected, rel=1e-6)
        alone = stats.ttest_1samp(differences, 0).pvalue
        assert paired_t_test(differences) == pytest.approx(alone, rel=1e-6)


@given(st.lists(st.floats(-10, 10), max_size=6))
def test_p_is_a_probability_or_nothing(differences: list[float]) -> None:
    p = paired_t_test(differences)
    assert p is None if len(differences) < 2 else p is not None and 0 <= p <= 1


@given(values, st.randoms())
def test_the_order_of_seeds_changes_nothing(values: list[float], random: Random) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)
    assert Summary.of(shuffled) == Summary.of(values)
    assert paired_t_test(shuffled) == paired_t_test(values)


@given(values)
def test_turning_differences_round_negates_them(values: list[float]) -> None:
    summary, turned = Summary.of(values), Summary.of([-value for value in values])
    assert (turned.mean, turned.std) == (-summary.mean, summary.std)
    assert summary.low is not None
    assert summary.high is not None
    assert (turned.low, turned.high) == (-summary.high, -summary.low)
    assert paired_t_test([-value for value in values]) == paired_t_test(values)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=8))
def test_the_interval_has_zero_in_it_where_p_is_above_its_level(values: list[float]) -> None:
    summary, p = Summary.of(values), paired_t_test(values)
    assert summary.low is not None
    assert summary.high is not None
    assert summary.std is not None
    assert p is not None
    if summary.std > ROUNDING and abs(p - 0.05) > 1e-9:
        assert (summary.low <= 0 <= summary.high) == (p > 0.05)


@pytest.mark.parametrize("difference", [0.02, -0.02, 1e-9])
def test_differences_all_alike_leave_nothing_to_chance(difference: float) -> None:
    assert paired_t_test([difference] * 5) == 0
    assert paired_t_test([difference, difference * (1 + 1e-15)] * 2) == 0


@pytest.mark.parametrize("rounding", [0.0, 1e-16])
def test_what_is_left_over_from_rounding_is_no_difference(rounding: float) -> None:
    assert paired_t_test([rounding] * 5) == 1
    assert paired_t_test([rounding, rounding, 1.1 * rounding]) == 1


def test_one_difference_has_no_test() -> None:
    assert paired_t_test([0.02]) is None
    assert paired_t_test([]) is None


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_a_difference_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        paired_t_test([0.1, value])


@pytest.mark.parametrize(
    ("p_values", "corrected"),
    [
        ([], []),
        ([0.03], [0.03]),
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.02, 0.02, 0.02], [0.06, 0.06, 0.06]),
        ([0.9, 0.6, 0.0], [1.0, 1.0, 0.0]),
    ],
)
def test_holms_correction_by_hand(p_values: list[float], corrected: list[float]) -> None:
    assert holm(p_values) == pytest.approx(corrected)


@given(probabilities, st.sampled_from([0.01, 0.05, 0.2]))
def test_holm_rejects_what_stepping_down_does(p_values: list[float], level: float) -> None:
    """Holm's rule: the kth smallest of m against level / (m - k + 1), up to the first above."""
    rejected: list[float] = []
    for rank, p in enumerate(sorted(p_values)):
        if p * (len(p_values) - rank) > level:
            break
        rejected.append(p)
    assert (
        sorted(p for p, c in zip(p_values, holm(p_values), strict=True) if c <= level) == rejected
    )


@given(probabilities)
def test_holm_keeps_the_order_and_is_between_none_and_bonferroni(p_values: list[float]) -> None:
    corrected = holm(p_values)
    for p, c in zip(p_values, corrected, strict=True):
        assert p <= c <= min(1, p * len(p_values))
    by_p = [c for _, c in sorted(zip(p_values, corrected, strict=True))]
    assert by_p == sorted(by_p)


def test_scipy_is_not_imported_until_it_is_needed() -> None:
    code = "import sys, rnnlm.results.differences; sys.exit('scipy.stats' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
