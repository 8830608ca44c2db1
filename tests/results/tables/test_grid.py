"""rnnlm/results/tables/grid.py"""

from __future__ import annotations

from rnnlm.results.columns import COLUMNS
from rnnlm.results.grouping import comparisons
from rnnlm.results.record import Record
from rnnlm.results.tables.grid import grid_tables
from rnnlm.results.tables.table import Table
from tests.support.records import baseline, grid, record, seeds, split


def ppl_grids(records: list[Record]) -> list[Table]:
    metric = COLUMNS["test_ppl"]
    return [t for comparison in comparisons(records) for t in grid_tables(comparison, metric)]


def test_models_are_rows_and_features_columns() -> None:
    (table,) = ppl_grids(grid())
    assert [row[0].shown for row in table.rows] == ["rnn", "lstm", "gru"]
    assert [heading.heading for heading in table.headings] == ["model", "embed", "onehot"]
    assert table.rows[0][2].shown == "6.600 ± 1.271 (0.141)"
    assert [value.is_best for row in table.rows for value in row[1:]] == [False] * 4 + [True, False]
    assert table.title.startswith("test ppl · time_machine · sample · text abc · vocabulary 70")
    assert table.notes[-1].endswith("n = 2")


def test_every_text_has_a_grid_of_its_own() -> None:
    tables = ppl_grids([*grid(), *seeds("lstm", 1.0, text_sha256="other")])
    assert [len(table.rows) for table in tables] == [3, 1]


def test_so_has_every_choice_of_options() -> None:
    wide = [record(options={"model.hidden_size": 9}, test=split(3.0))]
    narrow = [record(options={"model.hidden_size": 8}, test=split(4.0))]
    tables = ppl_grids([*wide, *narrow])
    assert sorted(table.title.rpartition(" · ")[2] for table in tables) == [
        "model.hidden_size=8",
        "model.hidden_size=9",
    ]


def test_a_baseline_stands_in_a_column_without_features() -> None:
    (table,) = ppl_grids([*grid(), baseline("kneser_ney", test=split(4.9))])
    assert [value.shown for value in table.rows[-1]] == ["kneser_ney", "-", "-", "4.900"]
    assert table.headings[-1].heading == "no features"


def test_a_cell_of_one_variant_stands_where_its_options_agree() -> None:
    lstm = [record(options={"model.hidden_size": s}, test=split(float(s))) for s in (64, 128)]
    gru = record(model="gru", options={"model.hidden_size": 64}, test=split(11.0))
    tables = {t.title.rpartition("=")[2]: t for t in ppl_grids([*lstm, gru])}
    assert {size: [row[0].shown for row in t.rows] for size, t in tables.items()} == {
        "64": ["lstm", "gru"],
        "128": ["lstm"],
    }


def test_a_cell_that_agrees_with_none_has_a_grid_of_its_own() -> None:
    lstm = [record(options={"model.hidden_size": s}) for s in (64, 128)]
    gru = record(model="gru", options={"model.hidden_size": 32})
    assert [[row[0].shown for row in t.rows] for t in ppl_grids([*lstm, gru])] == [
        ["lstm"],
        ["lstm"],
        ["gru"],
    ]


def test_runs_of_a_version_without_an_option_are_another_variant() -> None:
    old = record(options={"model.hidden_size": 8}, test=split(10.0))
    new = record(options={"model.hidden_size": 8, "optimizer.new": 0}, test=split(15.0))
    assert sorted(t.rows[0][1].shown for t in ppl_grids([old, new])) == ["10.00", "15.00"]


def test_variants_of_a_baseline_and_of_an_adaptation_have_grids_with_all_else() -> None:
    baselines = [baseline("kneser_ney", options={"model.order": order}) for order in (3, 5)]
    adapted = [
        record(model="lstm+cache", adaptation={}, options={"adaptation.cache": size})
        for size in (10, 50)
    ]
    for variants in (baselines, adapted):
        tables = ppl_grids([record(), *variants])
        assert [[row[0].shown for row in t.rows] for t in tables] == [
            ["lstm", variants[0].model],
            ["lstm", variants[0].model],
        ]
