"""rnnlm/results/differences_in_words.py"""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

import pytest
from scipy import stats

from rnnlm.results.differences import MOST_GROUPS, Difference
from rnnlm.results.differences_in_words import BY_ONE_SEED, answer, paragraph, sentence
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
from tests.support.records import record, split


def test_a_difference_in_words() -> None:
    differences = differ(runs("gru", GRU), runs("lstm", LSTM))
    assert sentence(the_pair(differences)) == (
        "test ppl of lstm-embed is 2.0 % lower than of gru-embed, "
        "95 % interval 1.4 to 2.5 %, n = 5, p = 0.00061"
    )
    assert paragraph(differences) == [
        "Lowest test ppl: lstm-embed, distinguishable from gru-embed.",
        "Test ppl of lstm-embed is 2.0 % lower than of gru-embed, "
        "95 % interval 1.4 to 2.5 %, n = 5, p = 0.00061.",
        "Method: paired t test over seeds on the log of test ppl, at a level of 5 %.",
    ]


def test_a_loss_says_what_its_perplexity_does() -> None:
    groups = runs("gru", GRU), runs("lstm", LSTM)
    assert paragraph(differ(*groups, metric=LOSS)) == paragraph(differ(*groups))


def test_bits_are_compared_by_their_ratio() -> None:
    pair = the_pair(differ(runs("gru", [4.0] * 3), runs("lstm", [2.0] * 3), metric=BPC))
    assert sentence(pair).startswith("test bits/char of lstm-embed is 50.0 % lower than of gru")


def test_exact_match_is_compared_in_percentage_points() -> None:
    lstm, gru = [0.92, 0.95, 0.90], [0.81, 0.83, 0.82]
    pair = the_pair(differ(answering("gru", gru), answering("lstm", lstm), metric=EXACT_MATCH))
    result = stats.ttest_rel(lstm, gru)
    low, high = result.confidence_interval(0.95)
    assert sentence(pair) == (
        "exact match of lstm is 10.3 percentage points higher than of gru, "
        f"95 % interval {100 * low:.1f} to {100 * high:.1f} percentage points, "
        f"n = 3, p = {result.pvalue:.2g}"
    )


def test_the_best_is_distinguishable_from_all_others() -> None:
    cells = [
        runs(model, [4.9 if (model, features) == ("gru", "onehot") else 5.0] * 5, features)
        for model, features in CELLS
    ]
    lines = paragraph(differ(*cells))
    assert lines[0] == "Lowest test ppl: gru-onehot, distinguishable from all others."
    assert lines[1].startswith("Not distinguishable: ")
    assert "gru-onehot" not in lines[1]


def test_the_best_by_its_mean_may_be_worse_over_shared_seeds() -> None:
    gru, lstm = {1: 5.0, 2: 5.1, 3: 1.0}, {1: 4.0, 2: 4.08}
    assert paragraph(differ(runs("gru", gru), runs("lstm", lstm)))[0] == (
        "Lowest test ppl: gru-embed, but worse over the seeds they share than lstm-embed."
    )


def test_one_seed_cannot_tell() -> None:
    differences = differ(runs("gru", [5.0]), runs("lstm", [4.5]))
    assert BY_ONE_SEED == "by one seed, which cannot tell a difference from chance"
    assert sentence(the_pair(differences)) == (
        f"test ppl of lstm-embed is 10.0 % lower than of gru-embed, {BY_ONE_SEED}"
    )
    assert paragraph(differences) == [
        "Lowest test ppl: lstm-embed, not distinguishable from gru-embed.",
        f"Test ppl of lstm-embed is 10.0 % lower than of gru-embed, {BY_ONE_SEED}.",
    ]


def test_one_seed_for_all_is_one_sentence() -> None:
    cells = [runs(model, [5.0 + rank], "embed") for rank, model in enumerate("abcdef")]
    assert paragraph(differ(*cells)) == [
        "Lowest test ppl: a-embed, not distinguishable from any other.",
        f"All of the 15 pairs are compared {BY_ONE_SEED}.",
    ]


def test_groups_with_one_shared_seed_are_listed_apart_from_those_tested() -> None:
    lines = paragraph(differ(runs("gru", GRU), runs("lstm", LSTM), runs("rnn", [6.0])))
    assert f"Compared {BY_ONE_SEED}: lstm-embed with rnn-embed; gru-embed with rnn-embed." in lines


def test_no_shared_seed_is_no_comparison() -> None:
    assert paragraph(differ(runs("gru", {1: 5.0}), runs("lstm", {2: 4.0}))) == [
        "Lowest test ppl: lstm-embed.",
        "Not compared: without a shared seed lstm-embed with gru-embed.",
    ]


def test_baselines_differ_exactly() -> None:
    pair = the_pair(differ(unseeded("trigram", 6.0), unseeded("unigram", 20.0)))
    assert sentence(pair) == (
        "test ppl of trigram is 70.0 % lower than of unigram, exactly: neither has a seed to vary"
    )
    same = the_pair(differ(unseeded("a", 6.0), unseeded("b", 6.0)))
    assert sentence(same).startswith("test ppl of a is the same as of b, exactly")


def test_exact_differences_are_listed_apart_from_those_tested() -> None:
    lines = paragraph(differ(runs("gru", GRU), unseeded("trigram", 6.0), unseeded("unigram", 20.0)))
    assert lines[0] == "Lowest test ppl: gru-embed, distinguishable from all others."
    assert (
        "Compared exactly, because no seed varies: trigram is 70.0 % lower than unigram." in lines
    )


@pytest.mark.parametrize("diverged", [math.inf, math.nan])
def test_a_group_that_diverged_is_left_out_with_the_reason(diverged: float) -> None:
    rnn = runs("rnn", [5.0, diverged, 5.0])
    differences = differ(runs("gru", GRU), runs("lstm", LSTM), rnn)
    assert the_pair(differences).names == ("lstm-embed", "gru-embed")
    assert "Not compared: rnn-embed (test ppl not finite at seed 2)." in paragraph(differences)


def test_a_group_without_the_metric_is_left_out_with_the_reason() -> None:
    known = {"bpc": 3.0, "num_tokens": 9, "num_chars": 9}
    xz = [replace(r, test=known, validation=known) for r in unseeded("xz", 5.0)]
    assert paragraph(differ(runs("gru", GRU), xz)) == [
        "Lowest test ppl: gru-embed, with nothing to compare it to.",
        "Not compared: xz (no test ppl).",
    ]
    assert the_pair(differ(runs("gru", GRU), xz, metric=BPC)).worse == "xz"
    assert paragraph(differ(xz)) == [
        "There is no test ppl to compare.",
        "Not compared: xz (no test ppl).",
    ]


def test_perplexities_far_apart_overflow_nothing() -> None:
    pair = the_pair(differ(runs("gru", [1e300, 2.0]), runs("lstm", [2.0, 1e9])))
    assert pair.low == -math.inf
    assert "from inf % higher to 100.0 % lower" in sentence(pair)


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
    differences = differ(*cells)
    alike = differences.not_distinguishable
    assert len(alike) == 3
    best, listing, method = paragraph(differences)
    assert best.count("rnn-") == 2
    assert ", not distinguishable from rnn-" in best
    for pair in alike:
        assert any(
            f"{first} from {second} (p = {pair.p_corrected:.2g})" in listing
            for first, second in (pair.names, pair.names[::-1])
        )
    assert listing.count("(p") == 3
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
    differences = differ(*cells)
    best, listing, _ = paragraph(differences)
    least = min(pair.p_corrected for pair in differences.pairs if pair.p_corrected is not None)
    assert best.endswith(", not distinguishable from any other.")
    assert listing == f"Not distinguishable: all of the 15 pairs tested (least p = {least:.2g})."


def test_what_is_not_distinguishable_says_so_and_which_way_the_interval_goes() -> None:
    pair = the_pair(differ(runs("gru", [5.0, 5.1, 5.0]), runs("lstm", [5.0, 5.0, 5.05])))
    low, high = pair.low, pair.high
    assert low is not None
    assert high is not None
    assert sentence(pair) == (
        "test ppl of lstm-embed is not distinguishable from that of gru-embed: "
        f"{pair.effect:.2f} % lower, 95 % interval from {-low:.1f} % higher to {high:.1f} % lower, "
        f"n = 3, p = {pair.p:.2g}"
    )


def test_an_interval_that_the_correction_overrules_says_that_it_comes_before() -> None:
    pair = Difference(PPL, "a", "b", 2.0, 0.1, 3.9, n=5, p=0.04, p_corrected=0.6, num_tests=15)
    assert sentence(pair) == (
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
    assert sentence(pair).endswith(shown)


def test_the_best_network_is_named_beside_a_baseline_that_is_better() -> None:
    networks = runs("gru", [4.01, 4.02, 4.03]), runs("lstm", [5.01, 5.02, 5.03])
    first, second = answer(differ(*networks, unseeded("kneser_ney", 3.0)))
    assert first == "Lowest test ppl: kneser_ney, distinguishable from all others."
    assert second.startswith(
        "Of the networks the lowest test ppl: gru-embed, distinguishable from lst"
    )


def test_the_best_on_validation_of_very_many_groups_are_compared() -> None:
    records = [
        record(options={"optimizer.lr": lr}, seed=seed, validation=split(lr), test=split(lr))
        for lr in range(1, MOST_GROUPS + 12)
        for seed in (1, 2)
    ]
    differences = differ(records)
    assert len(differences.pairs) == MOST_GROUPS * (MOST_GROUPS - 1) // 2
    assert differences.groups == differences.comparison.groups[:MOST_GROUPS]
    assert "Not compared: 11 more that are worse on validation." in paragraph(differences)
