"""rnnlm/results/differences.py"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rnnlm.results.columns import COLUMNS
from rnnlm.results.differences import LEVEL, MOST_GROUPS, Difference, Differences
from rnnlm.results.grouping import Comparison, comparisons
from rnnlm.results.record import Record
from rnnlm.results.statistics import Summary, holm, paired_t_test
from tests.support.records import record, split

PPL, LOSS, BPC = COLUMNS["test_ppl"], COLUMNS["test_loss"], COLUMNS["test_bpc"]
EXACT_MATCH = COLUMNS["exact_match"]
CELLS = [(model, features) for model in ("rnn", "lstm", "gru") for features in ("embed", "onehot")]
# Perplexities at five seeds: lstm is about 2 % lower than gru, by more at some seeds than others.
LSTM = [4.90, 4.95, 4.88, 5.02, 4.97]
GRU = [5.00, 5.02, 5.01, 5.11, 5.08]

Seeds = Sequence[float] | Mapping[int, float] | Mapping[None, float]


def runs(model: str, ppl: Seeds, features: str | None = "embed") -> list[Record]:
    """A record for each perplexity, at the seeds from 1 on or those given."""
    by_seed = ppl if isinstance(ppl, Mapping) else dict(enumerate(ppl, 1))
    return [
        record(model=model, features=features, seed=seed, **measured(value))
        for seed, value in by_seed.items()
    ]


def measured(ppl: float) -> dict[str, object]:
    """All splits with the figures that belong to a perplexity of characters."""
    loss = math.log(ppl)
    split = {"loss": loss, "ppl": ppl, "bpc": loss / math.log(2), "num_tokens": 9, "num_chars": 9}
    return {"train": split, "validation": split, "test": split}


def baseline(model: str, ppl: float) -> list[Record]:
    return runs(model, {None: ppl}, features=None)


def answering(model: str, shares: Sequence[float]) -> list[Record]:
    """Records with these exact matches, and other figures in the order of their names."""
    records = runs(model, [float(ord(model[0]))] * len(shares), features=None)
    return [replace(r, exact_match=s) for r, s in zip(records, shares, strict=True)]


def compared(*records: Sequence[Record]) -> Comparison:
    [comparison] = comparisons([record for some in records for record in some])
    return comparison


def the_pair(differences: Differences) -> Difference:
    [pair] = differences.pairs
    return pair


def log_ratios(better: Sequence[float], worse: Sequence[float]) -> list[float]:
    return [math.log(w) - math.log(b) for b, w in zip(better, worse, strict=True)]


def percent_lower(log_ratio: float) -> float:
    return 100 * (1 - math.exp(-log_ratio))


def test_a_difference_is_scipys_paired_test_of_logarithms() -> None:
    pair = the_pair(Differences.of(compared(runs("gru", GRU), runs("lstm", LSTM)), PPL))
    result = stats.ttest_rel(*([math.log(value) for value in ppl] for ppl in (GRU, LSTM)))
    interval = result.confidence_interval(0.95)
    assert (pair.better, pair.worse, pair.n) == ("lstm-embed", "gru-embed", 5)
    assert (pair.p, pair.p_corrected) == pytest.approx((result.pvalue, result.pvalue))
    assert pair.effect == pytest.approx(percent_lower(stats.tmean(log_ratios(LSTM, GRU))))
    assert (pair.low, pair.high) == pytest.approx(tuple(map(percent_lower, interval)))
    assert pair.is_distinguishable is True


def test_a_difference_in_words() -> None:
    differences = Differences.of(compared(runs("gru", GRU), runs("lstm", LSTM)), PPL)
    assert the_pair(differences).sentence() == (
        "test ppl of lstm-embed is 2.0 % lower than of gru-embed, "
        "95 % interval 1.4 to 2.5 %, n = 5, p = 0.00061"
    )
    assert differences.paragraph().splitlines() == [
        "Lowest test ppl: lstm-embed, distinguishable from gru-embed.",
        "Test ppl of lstm-embed is 2.0 % lower than of gru-embed, "
        "95 % interval 1.4 to 2.5 %, n = 5, p = 0.00061.",
        "Method: paired t test over seeds on the log of test ppl, at a level of 5 %.",
    ]


def test_a_loss_says_what_its_perplexity_does() -> None:
    comparison = compared(runs("gru", GRU), runs("lstm", LSTM))
    of_loss, of_ppl = (the_pair(Differences.of(comparison, figure)) for figure in (LOSS, PPL))
    assert of_loss.effect == pytest.approx(of_ppl.effect)
    assert of_loss.p == pytest.approx(of_ppl.p)
    assert of_loss.sentence() == of_ppl.sentence()


def test_bits_are_compared_by_their_ratio() -> None:
    pair = the_pair(Differences.of(compared(runs("gru", [4.0] * 3), runs("lstm", [2.0] * 3)), BPC))
    assert pair.effect == pytest.approx(50)
    assert pair.sentence().startswith("test bits/char of lstm-embed is 50.0 % lower than of gru")


def test_exact_match_is_compared_in_percentage_points() -> None:
    lstm, gru = [0.92, 0.95, 0.90], [0.81, 0.83, 0.82]
    differences = Differences.of(
        compared(answering("gru", gru), answering("lstm", lstm)), EXACT_MATCH
    )
    pair, result = the_pair(differences), stats.ttest_rel(lstm, gru)
    assert differences.unit == "percentage points"
    assert pair.better == "lstm"
    assert pair.effect == pytest.approx(100 * 0.31 / 3)
    assert pair.p == pytest.approx(result.pvalue)
    low, high = result.confidence_interval(0.95)
    assert (pair.low, pair.high) == pytest.approx((100 * low, 100 * high))
    assert pair.sentence() == (
        "exact match of lstm is 10.3 percentage points higher than of gru, "
        f"95 % interval {100 * low:.1f} to {100 * high:.1f} percentage points, "
        f"n = 3, p = {result.pvalue:.2g}"
    )


def test_a_figure_without_better_is_refused() -> None:
    with pytest.raises(ValueError, match="training s has no better and worse"):
        Differences.of(compared(runs("gru", GRU)), COLUMNS["train_seconds"])


# What is planted and what is not.


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
    differences = Differences.of(compared(*cells), PPL)
    assert len(differences.pairs) == 15
    for pair in differences.pairs:
        if pair.better == "gru-onehot":
            assert pair.is_distinguishable is True
            assert (pair.effect, pair.low, pair.high) == pytest.approx((2, 2, 2))
        else:
            assert pair.is_distinguishable is False
            assert pair.p_corrected == 1
    assert sum(pair.better == "gru-onehot" for pair in differences.pairs) == 5
    lines = differences.paragraph().splitlines()
    assert lines[0] == "Lowest test ppl: gru-onehot, distinguishable from all others."
    assert lines[1].startswith("Not distinguishable: ")
    assert "gru-onehot" not in lines[1]


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
        differences = Differences.of(compared(*cells), PPL)
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
    """With one test there is nothing to correct; outside the bounds is 1 in 1,000 at that rate."""
    random, sweeps = Random(7), 400
    claimed = 0
    for _ in range(sweeps):
        cells = [
            runs(model, [5 * math.exp(random.gauss(0, 0.02)) for _ in range(3)])
            for model in ("gru", "lstm")
        ]
        claimed += the_pair(Differences.of(compared(*cells), PPL)).is_distinguishable is True
    assert stats.binom.ppf(0.0005, sweeps, LEVEL) <= claimed
    assert claimed <= stats.binom.ppf(0.9995, sweeps, LEVEL)


@pytest.mark.parametrize("seeds", [2, 3])
@pytest.mark.parametrize("share", [0.5, 0.95])
def test_noise_in_steps_is_claimed_at_no_higher_rate(seeds: int, share: float) -> None:
    """Of a hundred tasks, two cells easily differ by the same number at each of two seeds."""
    random, sweeps = Random(1), 100
    claimed = 0
    for _ in range(sweeps):
        cells = [
            answering(model, [sum(random.random() < share for _ in range(100)) / 100
                              for _ in range(seeds)])
            for model in "abcdef"
        ]  # fmt: skip
        pairs = Differences.of(compared(*cells), EXACT_MATCH).pairs
        claimed += any(pair.is_distinguishable for pair in pairs)
    assert claimed <= stats.binom.ppf(0.999, sweeps, LEVEL)


def test_all_tasks_against_none_are_distinguishable() -> None:
    cells = answering("gru", [0.0] * 5), answering("lstm", [1.0] * 5)
    pair = the_pair(Differences.of(compared(*cells), EXACT_MATCH))
    assert (pair.effect, pair.high, pair.is_distinguishable) == (100, 100, True)


# Which pairs, and over which seeds.


def test_pairs_stand_in_the_order_of_the_groups_and_are_corrected_together() -> None:
    random = Random(3)
    cells = [
        runs(model, [5 * math.exp(0.01 * rank + random.gauss(0, 0.01)) for _ in range(5)], features)
        for rank, (model, features) in enumerate(CELLS)
    ]
    comparison = compared(*cells)
    differences = Differences.of(comparison, PPL)
    names = [group.name for group in comparison.groups]
    assert [{pair.better, pair.worse} for pair in differences.pairs] == [
        set(pair) for pair in combinations(names, 2)
    ]
    p_values = [pair.p for pair in differences.pairs if pair.p is not None]
    assert [pair.p_corrected for pair in differences.pairs] == holm(p_values)
    assert {pair.num_tests for pair in differences.pairs} == {15}


def test_only_seeds_that_both_have_are_paired() -> None:
    gru, lstm = {1: 5.0, 2: 5.2, 4: 9.0}, {2: 5.1, 1: 4.8, 3: 1.0}
    pair = the_pair(Differences.of(compared(runs("gru", gru), runs("lstm", lstm)), PPL))
    assert pair.n == 2
    expected = log_ratios([4.8, 5.1], [5.0, 5.2])
    assert pair.effect == pytest.approx(percent_lower(Summary.of(expected).mean))
    assert pair.p == pytest.approx(paired_t_test(expected))


def test_the_best_by_its_mean_may_be_worse_over_shared_seeds() -> None:
    gru, lstm = {1: 5.0, 2: 5.1, 3: 1.0}, {1: 4.0, 2: 4.08}
    text = Differences.of(compared(runs("gru", gru), runs("lstm", lstm)), PPL).paragraph()
    assert text.splitlines()[0] == (
        "Lowest test ppl: gru-embed, but worse over the seeds they share than lstm-embed."
    )


def test_one_seed_cannot_tell() -> None:
    differences = Differences.of(compared(runs("gru", [5.0]), runs("lstm", [4.5])), PPL)
    pair = the_pair(differences)
    assert (pair.p, pair.p_corrected, pair.low, pair.high) == (None,) * 4
    assert (pair.n, pair.is_distinguishable) == (1, None)
    sentence = "est ppl of lstm-embed is 10.0 % lower than of gru-embed, by one seed, which cannot"
    assert f"t{sentence} tell a difference from chance" == pair.sentence()
    assert differences.paragraph().splitlines() == [
        "Lowest test ppl: lstm-embed, not distinguishable from gru-embed.",
        f"T{sentence} tell a difference from chance.",
    ]


def test_one_seed_for_all_is_one_sentence() -> None:
    cells = [runs(model, [5.0 + rank], "embed") for rank, model in enumerate("abcdef")]
    assert Differences.of(compared(*cells), PPL).paragraph().splitlines() == [
        "Lowest test ppl: a-embed, not distinguishable from any other.",
        "All of the 15 pairs are compared by one seed, which cannot tell a difference from chance.",
    ]


def test_no_shared_seed_is_no_comparison() -> None:
    differences = Differences.of(compared(runs("gru", {1: 5.0}), runs("lstm", {2: 4.0})), PPL)
    assert differences.pairs == []
    assert differences.paragraph().splitlines() == [
        "Lowest test ppl: lstm-embed.",
        "Not compared: without a shared seed lstm-embed with gru-embed.",
    ]


@pytest.mark.parametrize(
    ("ppl", "better", "worse"), [(5.5, "gru-embed", "trigram"), (4.5, "trigram", "gru-embed")]
)
def test_a_baseline_is_compared_with_every_seed(ppl: float, better: str, worse: str) -> None:
    pair = the_pair(Differences.of(compared(runs("gru", GRU), baseline("trigram", ppl)), PPL))
    result = stats.ttest_1samp([math.log(value) for value in GRU], math.log(ppl))
    assert (pair.better, pair.worse, pair.n) == (better, worse, 5)
    assert pair.p == pytest.approx(result.pvalue)
    assert pair.is_distinguishable is True


def test_baselines_differ_exactly() -> None:
    differences = Differences.of(compared(baseline("trigram", 6.0), baseline("unigram", 20.0)), PPL)
    pair = the_pair(differences)
    assert (pair.n, pair.p, pair.is_exact, pair.is_distinguishable) == (0, None, True, True)
    assert pair.sentence() == (
        "test ppl of trigram is 70.0 % lower than of unigram, exactly: neither has a seed to vary"
    )
    same = the_pair(Differences.of(compared(baseline("a", 6.0), baseline("b", 6.0)), PPL))
    assert same.is_distinguishable is False
    assert same.sentence().startswith("test ppl of a is the same as of b, exactly")


def test_exact_differences_count_for_no_correction() -> None:
    comparison = compared(runs("gru", GRU), baseline("trigram", 6.0), baseline("unigram", 20.0))
    differences = Differences.of(comparison, PPL)
    assert [pair.num_tests for pair in differences.pairs] == [2, 2, 0]
    lines = differences.paragraph().splitlines()
    assert lines[0] == "Lowest test ppl: gru-embed, distinguishable from all others."
    assert "Exact, without a seed to vary: trigram is 70.0 % lower than unigram." in lines


@pytest.mark.parametrize("diverged", [math.inf, math.nan])
def test_a_group_that_diverged_is_left_out_with_a_word(diverged: float) -> None:
    comparison = compared(runs("gru", GRU), runs("lstm", LSTM), runs("rnn", [5.0, diverged, 5.0]))
    differences = Differences.of(comparison, PPL)
    assert {the_pair(differences).better, the_pair(differences).worse} == {
        "lstm-embed",
        "gru-embed",
    }
    assert "Not compared: rnn-embed (test ppl not finite at seed 2)." in differences.paragraph()


def test_what_lacks_the_figure_is_left_out_with_a_word() -> None:
    split = {"bpc": 3.0, "num_tokens": 9, "num_chars": 9}
    unpredicted = [replace(r, test=split, validation=split) for r in baseline("xz", 5.0)]
    comparison = compared(runs("gru", GRU), unpredicted)
    assert Differences.of(comparison, PPL).paragraph().splitlines() == [
        "Lowest test ppl: gru-embed, with nothing to compare it to.",
        "Not compared: xz (no test ppl).",
    ]
    assert the_pair(Differences.of(comparison, BPC)).worse == "xz"
    assert Differences.of(compared(unpredicted), PPL).paragraph().splitlines() == [
        "There is no test ppl to compare.",
        "Not compared: xz (no test ppl).",
    ]


def test_perplexities_far_apart_overflow_nothing() -> None:
    comparison = compared(runs("gru", [1e300, 2.0]), runs("lstm", [2.0, 1e9]))
    differences = Differences.of(comparison, PPL)
    assert the_pair(differences).low == -math.inf
    assert "from inf % higher to 100.0 % lower" in differences.paragraph()


# In words, for many.


def test_what_is_not_distinguishable_is_listed_once() -> None:
    random = Random(1)
    cells = [
        runs(
            model,
            [5 * (1 + rank // 2) * math.exp(random.gauss(0, 0.02)) for _ in range(5)],
            features,
        )
        for rank, (model, features) in enumerate(CELLS)
    ]
    differences = Differences.of(compared(*cells), PPL)
    alike = differences.not_distinguishable
    assert len(alike) == 3
    best, listed, method = differences.paragraph().splitlines()
    assert best.count("rnn-") == 2
    assert ", not distinguishable from rnn-" in best
    for pair in alike:
        assert any(
            f"{first} from {second} (p = {pair.p_corrected:.2g})" in listed
            for first, second in ((pair.better, pair.worse), (pair.worse, pair.better))
        )
    assert listed.count("(p") == 3
    assert method == (
        "Method: paired t test over seeds on the log of test ppl, Holm's correction for 15 "
        "comparisons to a level of 5 % for all of them together; intervals are of each difference "
        "by itself."
    )


def test_noise_is_one_line() -> None:
    random = Random(1)
    cells = [
        runs(model, [5 * math.exp(random.gauss(0, 0.02)) for _ in range(5)], features)
        for model, features in CELLS
    ]
    differences = Differences.of(compared(*cells), PPL)
    best, listed, _ = differences.paragraph().splitlines()
    least = min(pair.p_corrected for pair in differences.pairs if pair.p_corrected is not None)
    assert best.endswith(", not distinguishable from any other.")
    assert listed == f"Not distinguishable: all of the 15 pairs tested (least p = {least:.2g})."


def test_what_is_not_distinguishable_says_so_and_which_way_the_interval_goes() -> None:
    pair = the_pair(
        Differences.of(compared(runs("gru", [5.0, 5.1, 5.0]), runs("lstm", [5.0, 5.0, 5.05])), PPL)
    )
    low, high = pair.low, pair.high
    assert low is not None
    assert high is not None
    assert pair.sentence() == (
        "test ppl of lstm-embed is not distinguishable from that of gru-embed: "
        f"{pair.effect:.2f} % lower, 95 % interval from {-low:.1f} % higher to {high:.1f} % lower, "
        f"n = 3, p = {pair.p:.2g}"
    )


def test_an_interval_that_the_correction_overrules_says_that_it_comes_before() -> None:
    pair = Difference(PPL, "a", "b", 2.0, 0.1, 3.9, n=5, p=0.04, p_corrected=0.6, num_tests=15)
    assert pair.sentence() == (
        "test ppl of a is not distinguishable from that of b: 2.0 % lower, "
        "95 % interval 0.10 to 3.9 % before correction, n = 5, "
        "p = 0.6 after Holm's correction for 15 comparisons"
    )


@pytest.mark.parametrize(
    ("p", "shown"),
    [(0.0, "p < 0.0001"), (0.0001, "p = 0.0001"), (0.04996, "p = 0.04996"), (0.0504, "p = 0.0504"),
     (1.0, "p = 1")],
)  # fmt: skip
def test_p_is_shown_on_its_side_of_the_level(p: float, shown: str) -> None:
    pair = Difference(PPL, "a", "b", 2.0, 0.1, 3.9, n=5, p=p, p_corrected=p, num_tests=1)
    assert pair.sentence().endswith(shown)


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
    before, after = (Differences.of(compared(some), PPL) for some in (records, again))
    assert [group.name for group in before.groups] == [group.name for group in after.groups]
    assert before.pairs == after.pairs
    assert before.paragraph() == after.paragraph()


@given(perplexities)
@settings(deadline=None, max_examples=50)
def test_swapping_two_groups_swaps_their_names_alone(
    ppl: list[tuple[float, float, float]],
) -> None:
    first, second, _ = zip(*ppl, strict=True)
    one = the_pair(Differences.of(compared(runs("a", first), runs("b", second)), PPL))
    other = the_pair(Differences.of(compared(runs("b", first), runs("a", second)), PPL))
    assert (one.effect, one.low, one.high, one.p) == (other.effect, other.low, other.high, other.p)
    if one.effect:
        assert (one.better, one.worse) == (other.worse, other.better)


@given(perplexities, st.floats(0.1, 10))
@settings(deadline=None, max_examples=50)
def test_what_a_seed_does_to_both_changes_nothing(
    ppl: list[tuple[float, float, float]], factor: float
) -> None:
    first, second, _ = zip(*ppl, strict=True)
    one = the_pair(Differences.of(compared(runs("a", first), runs("b", second)), PPL))
    scaled = [[factor * values[0], *values[1:]] for values in (first, second)]
    other = the_pair(Differences.of(compared(runs("a", scaled[0]), runs("b", scaled[1])), PPL))
    assert other.effect == pytest.approx(one.effect, abs=1e-9)
    # Where there is nearly no effect and no spread, p is of rounding.
    if one.p is not None and one.effect > 1e-3:
        assert other.p == pytest.approx(one.p, abs=1e-6)


@given(perplexities)
@settings(deadline=None, max_examples=50)
def test_a_difference_holds_together(ppl: list[tuple[float, float, float]]) -> None:
    cells = [runs(name, v) for name, v in zip("abc", zip(*ppl, strict=True), strict=True)]
    differences = Differences.of(compared(*cells), PPL)
    for pair in differences.pairs:
        assert pair.effect >= 0
        if pair.low is None or pair.high is None or pair.p is None or pair.p_corrected is None:
            assert pair.n == 1
            continue
        assert pair.low <= pair.effect <= pair.high
        assert pair.p <= pair.p_corrected <= 1
        assert pair.is_distinguishable == (pair.p_corrected <= LEVEL)
    assert differences.paragraph()


def test_the_best_network_is_named_beside_a_baseline_that_is_better() -> None:
    networks = [
        record(model=model, seed=seed, test=split(level + seed / 100))
        for model, level in (("gru", 4.0), ("lstm", 5.0))
        for seed in (1, 2, 3)
    ]
    baseline = record(model="kneser_ney", features=None, seed=None, test=split(3.0))
    (comparison,) = comparisons([*networks, baseline])
    first, second = Differences.of(comparison, COLUMNS["test_ppl"]).answer()
    assert first == "Lowest test ppl: kneser_ney, distinguishable from all others."
    assert second.startswith(
        "Of the networks the lowest test ppl: gru-embed, distinguishable from lst"
    )


def test_of_very_many_groups_the_best_on_validation_are_compared() -> None:
    records = [
        record(options={"optimizer.lr": lr}, seed=seed, validation=split(lr), test=split(lr))
        for lr in range(1, MOST_GROUPS + 12)
        for seed in (1, 2)
    ]
    (comparison,) = comparisons(records)
    differences = Differences.of(comparison, COLUMNS["test_ppl"])
    assert len(differences.pairs) == MOST_GROUPS * (MOST_GROUPS - 1) // 2
    assert differences.groups == comparison.groups[:MOST_GROUPS]
    assert "Not compared: 11 more that are worse on validation." in differences.paragraph()
