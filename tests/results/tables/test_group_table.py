"""rnnlm/results/tables/group_table.py"""

from __future__ import annotations

import math
import statistics
from typing import Any

import pytest
from scipy import stats

from rnnlm.results.grouping import comparisons
from rnnlm.results.record import FAILED, Record
from rnnlm.results.tables import group_table
from rnnlm.results.tables.table import Table
from tests.support.records import NO_SPLITS, record, seeds, shown


def groups_table(records: list[Record], *arguments: Any, **options: Any) -> Table:
    """The table of the completed records."""
    return group_table.groups_table(comparisons(records), [], *arguments, **options)


def test_seeds_become_mean_standard_deviation_and_interval() -> None:
    # Mean 5 and deviations -1, 0, 1 give the standard deviation 1. With the quantile t(0.975, 2) =
    # 4.3027 half of the interval is 4.3027 / sqrt(3) = 2.4842.
    table = groups_table(seeds("lstm", 4.0, 5.0, 6.0))
    (value,) = table.column("test_ppl")
    assert value.value == pytest.approx((5.0, 1.0, 5 - 2.4842, 5 + 2.4842), abs=1e-4)
    assert value.shown == "5.000 ± 2.484 (1.000)"
    assert shown(table, "n") == ["3"]


def test_the_interval_is_scipys() -> None:
    values = [4.11, 4.32, 4.05, 4.27, 4.5]
    (value,) = groups_table(seeds("lstm", *values)).column("test_ppl")
    low, high = stats.t.interval(
        0.95, 4, statistics.fmean(values), statistics.stdev(values) / math.sqrt(5)
    )
    assert value.value == pytest.approx(
        (statistics.fmean(values), statistics.stdev(values), low, high)
    )


def test_one_run_has_no_interval_and_a_cost_shows_its_mean_alone() -> None:
    table = groups_table([*seeds("lstm", 4.0), *seeds("gru", 5.0, 5.2, train_seconds=3.0)])
    assert shown(table, "test_ppl") == ["4.000", "5.100 ± 1.271 (0.141)"]
    assert shown(table, "train_seconds") == ["-", "3.000"]
    assert table.column("test_ppl")[0].value == (4.0, None, None, None)


def test_what_differs_in_more_than_the_seed_is_apart() -> None:
    small = seeds("lstm", 4.0, 4.2, options={"model.hidden_size": 8})
    large = seeds("lstm", 3.0, 3.2, options={"model.hidden_size": 16})
    table = groups_table([*small, *large])
    assert shown(table, "options") == ["model.hidden_size=16", "model.hidden_size=8"]
    assert table.marked == {0}


def test_other_texts_are_apart_and_have_a_best_of_their_own() -> None:
    table = groups_table([*seeds("lstm", 4.0, 4.2), *seeds("lstm", 3.0, text_sha256="other")])
    assert table.marked == {0, 1}
    assert any("2 texts" in note for note in table.notes)


def test_failed_runs_are_named_and_not_counted() -> None:
    failed = record(seed=3, status=FAILED, error="no", **NO_SPLITS)
    found = comparisons([*seeds("lstm", 4.0, 4.2), failed])
    table = group_table.groups_table(found, [failed])
    assert shown(table, "n") == ["2"]
    assert "failed: time_machine lstm-embed seed 3: no" in table.notes


def test_shares_are_shown_in_percent() -> None:
    runs = [record(seed=s, exact_match=share) for s, share in ((1, 0.90), (2, 0.94))]
    (value,) = groups_table(runs).column("exact_match")
    assert value.shown == "92.00% ± 25.41% (2.83%)"


def test_groups_are_sorted_as_asked() -> None:
    table = groups_table(
        [*seeds("lstm", 4.0), *seeds("gru", 5.0)], ["model"], sort="test_ppl", descending=True
    )
    assert shown(table, "model") == ["gru", "lstm"]


def test_a_metric_that_some_seeds_lack_has_no_mean() -> None:
    stopped, went_on = record(seed=1), record(seed=2)
    stopped.history = {"validation": [2.0]}
    went_on.history = {"validation": [2.0, 1.0]}
    table = groups_table([stopped, went_on], ["validation_loss@1", "validation_loss@2", "n"])
    assert [value.shown for value in table.rows[0]][1:] == ["-", "2"]
    assert table.rows[0][0].shown.startswith("2.000 ")


def test_copies_of_a_run_are_one_seed() -> None:
    without = record(seed=1)
    for copies in ([record(seed=1, train_seconds=5.0), without], [without, record(seed=1)]):
        table = groups_table([*copies, record(seed=2)], ["n", "train_seconds"])
        assert table.rows[0][0].shown == "2"
    table = groups_table([record(seed=1, train_seconds=5.0), without], ["train_seconds"])
    assert table.rows[0][0].shown == "5.000"


def test_what_the_runs_of_a_group_do_not_share_is_not_said() -> None:
    runs = [record(seed=1, device="cpu"), record(seed=2, device="H100")]
    table = groups_table(runs, ["seed", "device", "data"])
    assert [value.shown for value in table.rows[0]] == ["-", "-", "time_machine"]
