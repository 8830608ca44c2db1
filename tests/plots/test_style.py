"""rnnlm/plots/style.py"""

from __future__ import annotations

import io
from itertools import combinations
from pathlib import Path

import matplotlib
import pytest
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

from rnnlm.plots import style
from rnnlm.plots.style import LINE_STYLES, MARKERS, PALETTE, drawing, in_usual_order, looks_of
from tests.plots.reading import comparison_of, lightness
from tests.plots.sweep import Runs, run


def test_colours_differ_in_grey() -> None:
    for one, other in combinations(map(lightness, PALETTE), 2):
        assert abs(one - other) >= 9
    # The cells of the usual grid are further apart still.
    for one, other in combinations(map(lightness, PALETTE[:3]), 2):
        assert abs(one - other) >= 20
    # On white, all can be seen.
    assert max(map(lightness, PALETTE)) <= 75


def test_a_cell_has_a_colour_and_features_have_a_line_style(swept: Runs) -> None:
    looks = looks_of(comparison_of(swept).groups)
    assert len(set(map(str, looks.values()))) == 6
    assert looks["rnn-embed"]["color"] == looks["rnn-onehot"]["color"] == PALETTE[0]
    assert looks["rnn-embed"]["linestyle"] == looks["gru-embed"]["linestyle"] == LINE_STYLES[0]
    assert looks["rnn-embed"]["linestyle"] != looks["rnn-onehot"]["linestyle"]
    assert looks["rnn-embed"]["marker"] != looks["gru-embed"]["marker"]
    assert looks["rnn-embed"]["markerfacecolor"] == PALETTE[0]
    assert looks["rnn-onehot"]["markerfacecolor"] == "white"


def test_groups_that_share_a_colour_differ_in_grey(tmp_path: Path) -> None:
    runs = [run(tmp_path / str(n), options={"n": n}) for n in range(12)]
    looks = looks_of(comparison_of(runs).groups).values()
    by_colour = sorted(looks, key=lambda look: str(look["color"]))
    for one, other in zip(by_colour[::2], by_colour[1::2], strict=True):
        assert one["color"] == other["color"]
        assert one["linestyle"] != other["linestyle"]
        assert one["marker"] != other["marker"]
    assert len(MARKERS) > len(PALETTE)


@pytest.mark.parametrize("has_font", [True, False])
def test_chinese_is_drawn_by_a_font_that_has_it_or_else_by_one_that_tells_the_script(
    has_font: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_font:
        monkeypatch.setattr(style, "FALLBACK_FONTS", ())
    style.font_families.cache_clear()
    with drawing():
        families = matplotlib.rcParams["font.family"]
        fonts = [get_font(findfont(family)) for family in families]
        figure = Figure()
        figure.text(0.5, 0.5, "lstm 红楼梦")
        figure.savefig(io.BytesIO())
    style.font_families.cache_clear()
    assert families[0] == "DejaVu Sans"
    if has_font and len(families) == 1:
        pytest.skip("no Chinese font is installed")
    assert any(ord("红") in font.get_charmap() for font in fonts) == has_font


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
