"""rnnlm/results/tables/difference_table.py"""

from __future__ import annotations

from rnnlm.results.columns import COLUMNS
from rnnlm.results.differences import Differences
from rnnlm.results.grouping import comparisons
from rnnlm.results.record import Record
from rnnlm.results.tables.difference_table import differences_table
from rnnlm.results.tables.table import Table
from tests.support.records import seeds, shown


def tables(records: list[Record]) -> list[Table]:
    return [
        differences_table(Differences.of(comparison, COLUMNS["test_ppl"]))
        for comparison in comparisons(records)
    ]


def test_every_pair_of_a_text_is_a_row_and_the_words_stand_below() -> None:
    records = [*seeds("lstm", 4.0, 4.1, 4.3), *seeds("gru", 4.4, 4.55, 4.72), *seeds("rnn", 4.9)]
    (table,) = tables(records)
    pairs = list(zip(shown(table, "better"), shown(table, "worse"), strict=True))
    assert pairs == [
        ("lstm-embed", "gru-embed"),
        ("lstm-embed", "rnn-embed"),
        ("gru-embed", "rnn-embed"),
    ]
    assert shown(table, "is_distinguishable") == ["yes", "-", "-"]
    assert "better by %" in [heading.heading for heading in table.headings]
    assert table.notes[0].startswith("Lowest test ppl: lstm-embed")


def test_texts_are_never_compared_with_each_other() -> None:
    records = [*seeds("lstm", 4.0, 4.1), *seeds("gru", 4.4, 4.5, text_sha256="other")]
    assert [table.rows for table in tables(records)] == [[], []]
