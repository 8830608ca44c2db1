"""rnnlm/plots/heat_map.py"""

from __future__ import annotations

import math
from pathlib import Path
from statistics import fmean

import numpy as np
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex

from rnnlm.plots.heat_map import draw_heat_map, grid_of
from rnnlm.plots.layout import Plot
from rnnlm.plots.style import drawing
from rnnlm.results.columns import COLUMNS
from rnnlm.results.statistics import Summary
from tests.plots.reading import comparison_of, is_within_its_edges, lightness, luminance, texts
from tests.plots.sweep import CELLS, Runs, failed, run, split, sweep

PPL = COLUMNS["test_ppl"]


def drawn(runs: Runs, name: str = "test_ppl") -> Plot:
    with drawing():
        plot = draw_heat_map(comparison_of(runs), COLUMNS[name])
        assert plot
    return plot


def colours(plot: Plot) -> list[str]:
    """The colours of the cells, row by row; a cell without one is white."""
    (mesh,) = (found for found in plot.figure.axes[0].collections if isinstance(found, QuadMesh))
    faces = mesh.to_rgba(np.ma.asarray(mesh.get_array())).reshape(-1, 4).tolist()
    return [to_hex(tuple(face)) if face[3] else "#ffffff" for face in faces]


def test_every_cell_has_the_mean_and_half_the_interval(swept: Runs) -> None:
    written = texts(drawn(swept))
    for cell in CELLS:
        values = [r.test["ppl"] or 0 for _, r in swept if r.model_and_features == cell and r.test]
        summary = Summary.of(values)
        assert f"{fmean(values):.3f}" in written
        assert f"± {((summary.high or 0) - (summary.low or 0)) / 2:.3f}" in written
    assert {"rnn", "lstm", "gru", "embed", "onehot"} <= set(written)
    assert "Mean over 3 seeds ± half the width of its 95 % t interval." in written
    assert "The darker, the better; lower is better." in written
    assert "Baselines: kneser_ney 5.529, unigram 21.12." in written
    assert is_within_its_edges(drawn(swept))


def test_the_darker_the_better(swept: Runs) -> None:
    grid = grid_of(comparison_of(swept), PPL)
    rows = [(model, kind) for model in ("rnn", "lstm", "gru") for kind in ("embed", "onehot")]
    found = dict(zip(rows, map(lightness, colours(drawn(swept))), strict=True))
    assert sorted(rows, key=lambda cell: grid[cell].mean) == sorted(rows, key=found.__getitem__)
    assert max(found.values()) - min(found.values()) > 60


def test_text_is_readable_on_its_background(swept: Runs, tmp_path: Path) -> None:
    steps = [run(tmp_path / str(n), options={"n": n}, test=split(1 + n / 50)) for n in range(20)]
    for runs in (swept, steps):
        plot = drawn(runs)
        values = plot.figure.axes[0].texts
        assert len(values) == len(colours(plot))
        for text, background in zip(values, colours(plot), strict=True):
            assert contrast(to_hex(text.get_color()), background) >= 4


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG has it: 21 for black on white."""
    darker, lighter = sorted(map(luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_one_seed_has_no_interval(tmp_path: Path) -> None:
    written = texts(drawn(sweep(tmp_path, seeds=1)))
    assert not any("±" in text for text in written)
    assert "One seed each." in written


def test_a_missing_cell_is_blank_and_marked(swept: Runs) -> None:
    runs = [
        (folder, record) for folder, record in swept if record.model_and_features != "lstm-onehot"
    ]
    plot = drawn(runs)
    assert texts(plot).count("–") == 1
    assert colours(plot)[3] == "#ffffff"


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
    plot = drawn(runs)
    assert len(colours(plot)) == 20
    assert "Left out: 5 rows that are worse on validation." in texts(plot)


def test_shares_are_in_percent_and_higher_is_better(tmp_path: Path) -> None:
    runs = [
        run(tmp_path / str(n), "gru-embed" if n > 2 else "rnn-embed", n, exact_match=n / 10)
        for n in (1, 2, 3, 4)
    ]
    plot = drawn(runs, "exact_match")
    rnn, gru = map(lightness, colours(plot))
    assert gru < rnn
    assert "15.00%" in texts(plot)
    assert "± 63.53%" in texts(plot)
    assert "The darker, the better; higher is better." in texts(plot)


def test_what_is_infinite_has_no_colour(tmp_path: Path) -> None:
    infinite = {**split(1.0), "ppl": math.inf}
    runs = [run(tmp_path, "rnn-embed", test=infinite), run(tmp_path, "gru-embed")]
    plot = drawn(runs)
    assert "inf" in texts(plot)
    assert colours(plot)[0] == "#ffffff"


def test_failed_runs_are_named(swept: Runs) -> None:
    with drawing():
        plot = draw_heat_map(comparison_of(swept), PPL, [failed(seed=7)[1]])
    assert plot
    assert "Failed: lstm-embed seed 7." in texts(plot)


def test_long_names_of_rows_are_broken_into_lines_that_do_not_meet(tmp_path: Path) -> None:
    names = [f"{place}_very_long_name.of_an_option_without_any_break_in_it" for place in "abcd"]
    runs = [run(tmp_path / str(n), options=dict.fromkeys(names, n)) for n in range(2)]
    plot = drawn(runs)
    assert is_within_its_edges(plot)
    upper, lower = (label.get_window_extent() for label in plot.figure.axes[0].get_yticklabels())
    assert lower.y1 < upper.y0


def test_one_cell_has_no_heat_map(tmp_path: Path) -> None:
    assert draw_heat_map(comparison_of([run(tmp_path)]), PPL) is None
