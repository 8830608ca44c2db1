"""rnnlm/plots/heat_map.py"""

from __future__ import annotations

import math
from pathlib import Path
from statistics import fmean

import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rnnlm.plots.heat_map import draw_heat_map, grid_of, shown
from rnnlm.plots.style import drawing, lightness
from rnnlm.results.columns import COLUMNS
from rnnlm.results.statistics import Summary
from tests.plots.reading import comparison_of, letters_without_a_glyph, texts
from tests.plots.sweep import CELLS, Runs, failed, run, split, sweep

PPL = COLUMNS["test_ppl"]


def drawn(runs: Runs, name: str = "test_ppl") -> Figure:
    with drawing():
        return draw_heat_map(comparison_of(runs), COLUMNS[name])


def colours(figure: Figure) -> list[str]:
    """Of the cells, row by row."""
    patches = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    return [to_hex(patch.get_facecolor()) for patch in patches]


def test_every_cell_has_the_mean_and_half_the_interval(swept: Runs) -> None:
    written = texts(drawn(swept))
    for cell in CELLS:
        values = [r.test["ppl"] or 0 for _, r in swept if r.cell == cell and r.test]
        summary = Summary.of(values)
        assert f"{fmean(values):.3f}" in written
        assert f"± {((summary.high or 0) - (summary.low or 0)) / 2:.3f}" in written
    assert {"rnn", "lstm", "gru", "embed", "onehot"} <= set(written)
    assert "Mean over 3 seeds ± half the width of its 95 % t interval." in written
    assert "The darker, the better; lower is better." in written
    assert "Baselines: kneser_ney 5.529, unigram 21.12." in written
    assert not letters_without_a_glyph(drawn(swept))


def test_the_darker_the_better(swept: Runs) -> None:
    grid = grid_of(comparison_of(swept), PPL)
    rows = [(model, kind) for model in ("rnn", "lstm", "gru") for kind in ("embed", "onehot")]
    found = dict(zip(rows, map(lightness, colours(drawn(swept))), strict=True))
    assert sorted(rows, key=lambda cell: grid[cell].mean) == sorted(rows, key=found.__getitem__)
    assert max(found.values()) - min(found.values()) > 60


def test_text_is_readable_on_its_background(swept: Runs, tmp_path: Path) -> None:
    steps = [run(tmp_path / str(n), options={"n": n}, test=split(1 + n / 50)) for n in range(20)]
    for runs in (swept, steps):
        figure = drawn(runs)
        values = [t for t in figure.texts if t.get_text()[0].isdigit() and t.get_fontsize() == 10]
        assert len(values) == len(colours(figure))
        for text, background in zip(values, colours(figure), strict=True):
            assert contrast(to_hex(text.get_color()), background) >= 4


def contrast(one: str, other: str) -> float:
    """As WCAG has it: 21 for black on white."""
    luminances = sorted(((lightness(c) + 16) / 116) ** 3 for c in (one, other))
    return (luminances[1] + 0.05) / (luminances[0] + 0.05)


def test_one_seed_has_no_interval(tmp_path: Path) -> None:
    written = texts(drawn(sweep(tmp_path, seeds=1)))
    assert not any("±" in text for text in written)
    assert "One seed each." in written


def test_a_missing_cell_is_blank_and_marked(swept: Runs) -> None:
    runs = [(folder, record) for folder, record in swept if record.cell != "lstm-onehot"]
    figure = drawn(runs)
    assert texts(figure).count("–") == 1
    assert colours(figure)[3] == "#ffffff"


def test_options_that_differ_make_rows_in_their_order(tmp_path: Path) -> None:
    runs = [
        run(tmp_path / str(size), cell, options={"model.hidden_size": size})
        for size in (256, 64, 128)
        for cell in ("lstm-embed", "gru-embed")
    ]
    names = [text for text in texts(drawn(runs)) if "hidden_size" in text]
    assert names == [f"{m} model.hidden_size={n}" for m in ("lstm", "gru") for n in (64, 128, 256)]


def test_too_many_rows_leave_the_best(tmp_path: Path) -> None:
    runs = [run(tmp_path / str(n), options={"n": n}, test=split(1 + n / 9)) for n in range(25)]
    figure = drawn(runs)
    assert len(colours(figure)) == 20
    assert "Left out: 5 rows that come after these." in texts(figure)


def test_shares_are_in_percent_and_higher_is_better(tmp_path: Path) -> None:
    runs = [
        run(tmp_path / str(n), "gru-embed" if n > 2 else "rnn-embed", n, exact_match=n / 10)
        for n in (1, 2, 3, 4)
    ]
    figure = drawn(runs, "exact_match")
    rnn, gru = map(lightness, colours(figure))
    assert gru < rnn
    assert "15.00%" in texts(figure)
    assert "± 63.53%" in texts(figure)
    assert "The darker, the better; higher is better." in texts(figure)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([4.7, 4.8], ("4.750", "0.635")),
        ([4.75], ("4.750", None)),
        ([math.inf], ("inf", None)),
        ([123456.0, 123458.0], ("123,457", "13")),
    ],
)
def test_the_interval_has_the_decimals_of_the_mean(
    values: list[float], expected: tuple[str, str | None]
) -> None:
    assert shown(Summary.of(values), PPL) == expected


def test_what_is_infinite_has_no_colour(tmp_path: Path) -> None:
    infinite = {**split(1.0), "ppl": math.inf}
    runs = [run(tmp_path, "rnn-embed", test=infinite), run(tmp_path, "gru-embed")]
    figure = drawn(runs)
    assert "inf" in texts(figure)
    assert colours(figure)[0] == "#ffffff"


def test_failed_runs_are_named(swept: Runs) -> None:
    with drawing():
        figure = draw_heat_map(comparison_of(swept), PPL, [failed(seed=7)[1]])
    assert "Failed: lstm-embed seed 7." in texts(figure)
