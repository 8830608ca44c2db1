"""rnnlm/plots/style.py"""

from __future__ import annotations

from itertools import combinations

import matplotlib
import pytest

from rnnlm.plots.style import (
    LIGHTNESS_APART,
    PALETTE,
    Looks,
    drawing,
    in_usual_order,
    lightness,
)
from tests.plots.reading import comparison_of
from tests.plots.sweep import Runs


def test_lightness_is_that_of_cie() -> None:
    assert lightness("#ffffff") == pytest.approx(100)
    assert lightness("#000000") == 0
    assert lightness("#777777") == pytest.approx(50.03, abs=0.01)


def test_colours_differ_in_grey() -> None:
    for one, other in combinations(map(lightness, PALETTE), 2):
        assert abs(one - other) >= LIGHTNESS_APART
    # The cells of the usual grid are further apart still.
    for one, other in combinations(map(lightness, PALETTE[:3]), 2):
        assert abs(one - other) >= 20
    # On white, all can be seen.
    assert max(map(lightness, PALETTE)) <= 75


def test_a_cell_has_a_colour_and_features_have_a_line_style(swept: Runs) -> None:
    groups = [group for group in comparison_of(swept).groups if group.features]
    looks = Looks(groups)
    by_name = {group.name: looks.of(group) for group in groups}
    assert len(set(by_name.values())) == 6
    assert by_name["rnn-embed"].colour == by_name["rnn-onehot"].colour == PALETTE[0]
    assert by_name["rnn-embed"].line_style == by_name["gru-embed"].line_style
    assert by_name["rnn-embed"].line_style != by_name["rnn-onehot"].line_style
    assert by_name["rnn-embed"].marker != by_name["gru-embed"].marker
    assert by_name["rnn-embed"].filled
    assert not by_name["rnn-onehot"].filled


def test_rows_are_in_the_order_of_tables_and_numbers_in_theirs() -> None:
    rows = [
        "gru",
        "lstm lr=0.1",
        "mine",
        "lstm lr=0.02",
        "lstm lr=1e-05",
        "rnn size=128",
        "rnn size=64",
    ]
    assert sorted(rows, key=in_usual_order) == [
        *("rnn size=64", "rnn size=128"),
        *("lstm lr=1e-05", "lstm lr=0.02", "lstm lr=0.1"),
        *("gru", "mine"),
    ]


def test_a_users_own_settings_neither_matter_nor_change() -> None:
    with matplotlib.rc_context({"text.usetex": True, "lines.linewidth": 9}):
        with drawing():
            assert not matplotlib.rcParams["text.usetex"]
            assert matplotlib.rcParams["lines.linewidth"] == 1.5
        assert matplotlib.rcParams["text.usetex"]
        assert matplotlib.rcParams["lines.linewidth"] == 9
