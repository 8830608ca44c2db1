"""rnnlm/results/tables/run_table.py"""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from rnnlm.results.columns import NoSuchColumnError
from rnnlm.results.grouping import comparisons
from rnnlm.results.record import Record
from rnnlm.results.tables.group_table import groups_table
from rnnlm.results.tables.run_table import runs_table
from rnnlm.results.tables.table import Table
from tests.support.records import baseline, record, shown, split, three_runs


def test_rows_are_sorted_by_validation_and_failed_ones_are_last() -> None:
    table = runs_table(three_runs())
    assert shown(table, "model") == ["lstm", "rnn", "gru"]
    assert table.marked == {0}
    assert table.notes == ["failed: time_machine gru-embed seed 1: It [b]."]


def test_the_best_of_each_column_is_marked_as_such() -> None:
    table = runs_table(three_runs())
    assert [value.is_best for value in table.column("validation_ppl")] == [True, False, False]
    assert [value.is_best for value in table.column("test_ppl")] == [False, True, False]
    assert not any(value.is_best for value in table.column("model"))


def test_what_is_not_a_number_is_never_the_best_and_comes_last() -> None:
    broken = split(math.nan, math.nan)
    table = runs_table([record(model="first", validation=broken, test=broken), *three_runs()])
    assert shown(table, "model")[:3] == ["lstm", "rnn", "first"]
    assert table.marked == {0}
    assert [value.is_best for value in table.column("test_ppl")] == [False, True, False, False]


def test_a_best_is_never_picked_across_texts_and_that_they_differ_is_said() -> None:
    other = record(text_sha256="other", validation=split(2.0), test=split(2.0))
    table = runs_table([*three_runs(), other])
    assert sorted(shown(table, "text_sha256")[index] for index in table.marked) == ["abc", "other"]
    assert "measured on 2 texts, splits or vocabularies" in table.notes[0]
    assert "vocab_size" in [heading.name for heading in table.headings]


def test_what_was_measured_on_is_told_by_the_held_out_tokens() -> None:
    same_text = [
        record(held_out_sha256=tokens, validation=split(p)) for tokens, p in [("a", 2), ("b", 3)]
    ]
    assert runs_table(same_text).marked == {0, 1}
    assert runs_table([same_text[0], record(held_out_sha256="a")]).marked == {0}


def test_options_that_differ_are_a_column() -> None:
    common = {"model.name": "lstm", "seed": 1, "trainer.max_epochs": 2}
    table = runs_table(
        [
            record(options={**common, "optimizer.lr": 0.1, "model.dropout": 0.2}),
            record(options={**common, "optimizer.lr": 0.2, "model.dropout": 0.0}),
            # An option that only one of them has does not distinguish it.
            record(
                model="rnn", options={**common, "optimizer.lr": 0.2, "model.nonlinearity": "relu"}
            ),
        ]
    )
    assert sorted(shown(table, "options")) == [
        "optimizer.lr=0.1 model.dropout=0.2",
        "optimizer.lr=0.2",
        "optimizer.lr=0.2 model.dropout=0.0",
    ]
    assert "options" not in [h.name for h in runs_table([record(options=common)]).headings]


@pytest.mark.parametrize("table_of", [runs_table, lambda runs: groups_table(comparisons(runs))])
def test_the_device_is_said_where_it_differs_between_networks(
    table_of: Callable[[list[Record]], Table],
) -> None:
    def headings(runs: list[Record]) -> list[str]:
        names = [heading.name for heading in table_of(runs).headings]
        return [name for name in names if name in ("device", "runs_per_gpu")]

    here = record(device="cpu")
    there = record(model="rnn", device="H100", runs_per_gpu=8)
    slow = record(model="gru", device="H100", runs_per_gpu=1)
    assert headings([here, record(model="rnn", device="cpu")]) == []
    assert headings([there, baseline("bz2", device="cpu")]) == []
    assert headings([here, there]) == ["device"]
    assert headings([there, slow]) == ["runs_per_gpu"]
    assert shown(table_of([here, there, slow]), "device") == ["H100", "cpu", "H100"]
    assert shown(table_of([here, there, slow]), "runs_per_gpu") == ["1", "-", "8"]


def test_records_of_earlier_versions_have_their_options_from_the_command_line() -> None:
    table = runs_table(
        [record(overrides=["optimizer.lr=0.1"]), record(overrides=["optimizer.lr=1"])]
    )
    assert set(shown(table, "options")) == {"optimizer.lr=0.1", "optimizer.lr=1"}


def test_columns_and_their_order_can_be_chosen_and_an_option_is_one() -> None:
    rows = [record(options={"optimizer.lr": lr}, seed=seed) for seed, lr in ((1, 0.5), (2, 0.25))]
    table = runs_table(rows, ["optimizer.lr", "seed"], sort="optimizer.lr")
    assert [[value.value for value in row] for row in table.rows] == [[0.25, 2], [0.5, 1]]
    assert shown(runs_table(rows, ["seed"], sort="seed", descending=True), "seed") == ["2", "1"]


def test_what_has_nothing_in_the_column_sorted_by_is_last() -> None:
    table = runs_table(three_runs(), sort="test_ppl", descending=True)
    assert shown(table, "model") == ["lstm", "rnn", "gru"]


@pytest.mark.parametrize("arguments", [{"columns": ["nope"]}, {"sort": "nope"}])
def test_a_column_that_is_none_is_named(arguments: dict[str, object]) -> None:
    with pytest.raises(NoSuchColumnError, match="no column nope; there are data, source"):
        runs_table(three_runs(), **arguments)  # type: ignore[arg-type]


def test_a_compressor_has_a_row_without_perplexity() -> None:
    of_xz = {"bpc": 1.5, "num_tokens": 9, "num_chars": 9}
    xz = record(model="xz", features=None, seed=None, train=of_xz, validation=of_xz, test=of_xz)
    table = runs_table([*three_runs(), xz])
    assert shown(table, "model")[0] == "xz"
    assert [shown(table, name)[0] for name in ("features", "seed", "test_ppl")] == ["-", "-", "-"]
    assert table.column("test_bpc")[0].is_best
