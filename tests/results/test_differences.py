"""rnnlm/results/differences.py"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rnnlm.results.columns import COLUMNS
from rnnlm.results.differences import LEVEL, unit_of
from rnnlm.results.statistics import Summary, holm, paired_t_test
from tests.support.comparisons import (
    BPC,
    CELLS,
    EXACT_MATCH,
    GRU,
    LOSS,
    LSTM,
    PPL,
    answering,
    differ,
    runs,
    the_pair,
    unseeded,
)


def log_ratios(better: Sequence[float], worse: Sequence[float]) -> list[float]:
    return [math.log(w) - math.log(b) for b, w in zip(better, worse, strict=True)]


def percent_lower(log_ratio: float) -> float:
    return 100 * (1 - math.exp(-log_ratio))


def test_a_difference_is_scipys_paired_test_of_logarithms() -> None:
    pair = the_pair(differ(runs("gru", GRU), runs("lstm", LSTM)))
    result = stats.ttest_rel(*([math.log(value) for value in ppl] for ppl in (GRU, LSTM)))
    interval = result.confidence_interval(0.95)
    assert (pair.better, pair.worse, pair.n) == ("lstm-embed", "gru-embed", 5)
    assert (pair.p, pair.p_corrected) == pytest.approx((result.pvalue, result.pvalue))
    assert pair.effect == pytest.approx(percent_lower(stats.tmean(log_ratios(LSTM, GRU))))
    assert (pair.low, pair.high) == pytest.approx(tuple(map(percent_lower, interval)))
    assert pair.is_distinguishable is True


def test_a_loss_differs_as_its_perplexity_does() -> None:
    groups = runs("gru", GRU), runs("lstm", LSTM)
    loss, ppl = (the_pair(differ(*groups, metric=metric)) for metric in (LOSS, PPL))
    assert loss.effect == pytest.approx(ppl.effect)
    assert loss.p == pytest.approx(ppl.p)


def test_bits_are_compared_by_their_ratio() -> None:
    pair = the_pair(differ(runs("gru", [4.0] * 3), runs("lstm", [2.0] * 3), metric=BPC))
    assert pair.effect == pytest.approx(50)


def test_exact_match_is_compared_in_percentage_points() -> None:
    lstm, gru = [0.92, 0.95, 0.90], [0.81, 0.83, 0.82]
    pair = the_pair(differ(answering("gru", gru), answering("lstm", lstm), metric=EXACT_MATCH))
    result = stats.ttest_rel(lstm, gru)
    assert unit_of(EXACT_MATCH) == "percentage points"
    assert pair.better == "lstm"
    assert pair.effect == pytest.approx(100 * 0.31 / 3)
    assert pair.p == pytest.approx(result.pvalue)
    low, high = result.confidence_interval(0.95)
    assert (pair.low, pair.high) == pytest.approx((100 * low, 100 * high))


def test_a_metric_without_a_better_direction_is_refused() -> None:
    with pytest.raises(ValueError, match="training s has no better and worse"):
        differ(runs("gru", GRU), metric=COLUMNS["train_seconds"])


# Differences that are planted, and noise that is none.


@pytest.mark.parametrize("level_of_seed", [[1.0] * 5, [0.9, 1.0, 1.1, 1.2, 1.3]])
def test_a_planted_two_percent_over_five_noiseless_seeds_is_found(
    level_of_seed: list[float],
) -> None:
    """Five cells alike and one 2 % lower, at seeds all alike or that move all cells together."""
    cells = [
        runs(model, [(4.9 if (model, features) == ("gru", "onehot") else 5.0) * level
             for level in level_of_seed], features)
        for model, features in CELLS
    ]  # fmt: skip
    differences = differ(*cells)
    assert len(differences.pairs) == 15
    for pair in differences.pairs:
        if pair.better == "gru-onehot":
            assert pair.is_distinguishable is True
            assert (pair.effect, pair.low, pair.high) == pytest.approx((2, 2, 2))
        else:
            assert pair.is_distinguishable is False
            assert pair.p_corrected == 1
    assert sum(pair.better == "gru-onehot" for pair in differences.pairs) == 5


def test_pure_noise_is_claimed_to_be_a_difference_at_the_stated_rate() -> None:
    """200 sweeps of 6 cells and 5 seeds, of which each moves all cells, and noise each by itself.

    The number of sweeps with a claim is binomial. It is above the bound with a probability of less
    than 1 in 1,000 if the rate is the level, and without the correction it is far above.
    """
    random, sweeps = Random(20240229), 200
    bound = int(stats.binom.ppf(0.999, sweeps, LEVEL))
    claimed = claimed_uncorrected = 0
    for _ in range(sweeps):
        of_seed = [random.gauss(0, 0.05) for _ in range(5)]
        cells = [
            runs(model, [5 * math.exp(s + random.gauss(0, 0.02)) for s in of_seed], features)
            for model, features in CELLS
        ]
        differences = differ(*cells)
        claimed += any(pair.is_distinguishable for pair in differences.pairs)
        claimed_uncorrected += any(
            pair.p is not None and pair.p <= LEVEL for pair in differences.pairs
        )
        assert len(differences.not_distinguishable) == 15 - sum(
            pair.is_distinguishable is True for pair in differences.pairs
        )
    assert claimed <= bound
    assert claimed_uncorrected > 2 * bound


def test_noise_between_two_cells_is_claimed_at_the_level_itself() -> None:
    """One test needs no correction; at that rate, 1 in 1,000 experiments is outside the bounds."""
    random, sweeps = Random(7), 400
    claimed = 0
    for _ in range(sweeps):
        cells = [
            runs(model, [5 * math.exp(random.gauss(0, 0.02)) for _ in range(3)])
            for model in ("gru", "lstm")
        ]
        claimed += the_pair(differ(*cells)).is_distinguishable is True
    assert stats.binom.ppf(0.0005, sweeps, LEVEL) <= claimed
    assert claimed <= stats.binom.ppf(0.9995, sweeps, LEVEL)


@pytest.mark.parametrize("seeds", [2, 3])
@pytest.mark.parametrize("share", [0.5, 0.95])
def test_noise_in_steps_is_claimed_at_no_higher_rate(seeds: int, share: float) -> None:
    """Two cells easily differ by the same number of a hundred tasks at each of two seeds."""
    random, sweeps = Random(1), 100
    claimed = 0
    for _ in range(sweeps):
        cells = [
            answering(model, [sum(random.random() < share for _ in range(100)) / 100
                              for _ in range(seeds)])
            for model in "abcdef"
        ]  # fmt: skip
        pairs = differ(*cells, metric=EXACT_MATCH).pairs
        claimed += any(pair.is_distinguishable for pair in pairs)
    assert claimed <= stats.binom.ppf(0.999, sweeps, LEVEL)


def test_all_tasks_against_none_are_distinguishable() -> None:
    cells = answering("gru", [0.0] * 5), answering("lstm", [1.0] * 5)
    pair = the_pair(differ(*cells, metric=EXACT_MATCH))
    assert (pair.effect, pair.high, pair.is_distinguishable) == (100, 100, True)


# The pairs, and the seeds that they are compared over.


def test_pairs_stand_in_the_order_of_the_groups_and_are_corrected_together() -> None:
    random = Random(3)
    cells = [
        runs(model, [5 * math.exp(0.01 * rank + random.gauss(0, 0.01)) for _ in range(5)], features)
        for rank, (model, features) in enumerate(CELLS)
    ]
    differences = differ(*cells)
    names = [group.name for group in differences.comparison.groups]
    assert [{pair.better, pair.worse} for pair in differences.pairs] == [
        set(pair) for pair in combinations(names, 2)
    ]
    p_values = [pair.p for pair in differences.pairs if pair.p is not None]
    assert [pair.p_corrected for pair in differences.pairs] == holm(p_values)
    assert {pair.num_tests for pair in differences.pairs} == {15}


def test_only_seeds_that_both_have_are_paired() -> None:
    gru, lstm = {1: 5.0, 2: 5.2, 4: 9.0}, {2: 5.1, 1: 4.8, 3: 1.0}
    pair = the_pair(differ(runs("gru", gru), runs("lstm", lstm)))
    assert pair.n == 2
    expected = log_ratios([4.8, 5.1], [5.0, 5.2])
    assert pair.effect == pytest.approx(percent_lower(Summary.of(expected).mean))
    assert pair.p == pytest.approx(paired_t_test(expected))


def test_one_seed_cannot_tell() -> None:
    pair = the_pair(differ(runs("gru", [5.0]), runs("lstm", [4.5])))
    assert (pair.p, pair.p_corrected, pair.low, pair.high) == (None,) * 4
    assert (pair.n, pair.is_distinguishable) == (1, None)


def test_no_shared_seed_is_no_pair() -> None:
    assert differ(runs("gru", {1: 5.0}), runs("lstm", {2: 4.0})).pairs == []


@pytest.mark.parametrize(
    ("ppl", "better", "worse"), [(5.5, "gru-embed", "trigram"), (4.5, "trigram", "gru-embed")]
)
def test_a_baseline_is_compared_with_every_seed(ppl: float, better: str, worse: str) -> None:
    pair = the_pair(differ(runs("gru", GRU), unseeded("trigram", ppl)))
    result = stats.ttest_1samp([math.log(value) for value in GRU], math.log(ppl))
    assert (pair.better, pair.worse, pair.n) == (better, worse, 5)
    assert pair.p == pytest.approx(result.pvalue)
    assert pair.is_distinguishable is True


def test_baselines_differ_exactly() -> None:
    pair = the_pair(differ(unseeded("trigram", 6.0), unseeded("unigram", 20.0)))
    assert (pair.n, pair.p, pair.is_exact, pair.is_distinguishable) == (0, None, True, True)
    same = the_pair(differ(unseeded("a", 6.0), unseeded("b", 6.0)))
    assert same.is_distinguishable is False


def test_exact_differences_count_for_no_correction() -> None:
    found = differ(runs("gru", GRU), unseeded("trigram", 6.0), unseeded("unigram", 20.0))
    assert [pair.num_tests for pair in found.pairs] == [2, 2, 0]


# Whatever the seeds.

perplexities = st.lists(
    st.tuples(st.floats(1.5, 1e4), st.floats(1.5, 1e4), st.floats(1.5, 1e4)), min_size=1, max_size=5
)


@given(perplexities, st.randoms())
@settings(deadline=None, max_examples=50)
def test_the_order_of_runs_and_the_names_of_seeds_change_nothing(
    ppl: list[tuple[float, float, float]], random: Random
) -> None:
    cells = list(zip("abc", zip(*ppl, strict=True), strict=True))
    records = [record for name, values in cells for record in runs(name, values)]
    renamed = random.sample(range(100), len(ppl))
    again = [replace(r, seed=renamed[r.seed - 1]) for r in records if r.seed is not None]
    random.shuffle(again)
    before, after = (differ(some) for some in (records, again))
    assert [group.name for group in before.groups] == [group.name for group in after.groups]
    assert before.pairs == after.pairs


@given(perplexities)
@settings(deadline=None, max_examples=50)
def test_swapping_two_groups_swaps_their_names_alone(
    ppl: list[tuple[float, float, float]],
) -> None:
    first, second, _ = zip(*ppl, strict=True)
    one = the_pair(differ(runs("a", first), runs("b", second)))
    other = the_pair(differ(runs("b", first), runs("a", second)))
    assert (one.effect, one.low, one.high, one.p) == (other.effect, other.low, other.high, other.p)
    if one.effect:
        assert (one.better, one.worse) == (other.worse, other.better)


@given(perplexities, st.floats(0.1, 10))
@settings(deadline=None, max_examples=50)
def test_what_a_seed_does_to_both_changes_nothing(
    ppl: list[tuple[float, float, float]], factor: float
) -> None:
    first, second, _ = zip(*ppl, strict=True)
    one = the_pair(differ(runs("a", first), runs("b", second)))
    scaled = [[factor * values[0], *values[1:]] for values in (first, second)]
    other = the_pair(differ(runs("a", scaled[0]), runs("b", scaled[1])))
    assert other.effect == pytest.approx(one.effect, abs=1e-9)
    # If effect and spread are nearly zero, p is determined by rounding.
    if one.p is not None and one.effect > 1e-3:
        assert other.p == pytest.approx(one.p, abs=1e-6)


@given(perplexities)
@settings(deadline=None, max_examples=50)
def test_a_difference_holds_together(ppl: list[tuple[float, float, float]]) -> None:
    cells = [runs(name, v) for name, v in zip("abc", zip(*ppl, strict=True), strict=True)]
    differences = differ(*cells)
    for pair in differences.pairs:
        assert pair.effect >= 0
        if pair.low is None or pair.high is None or pair.p is None or pair.p_corrected is None:
            assert pair.n == 1
            continue
        assert pair.low <= pair.effect <= pair.high
        assert pair.p <= pair.p_corrected <= 1
        assert pair.is_distinguishable == (pair.p_corrected <= LEVEL)
