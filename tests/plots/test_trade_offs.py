"""rnnlm/plots/trade_offs.py"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from statistics import fmean

import pytest
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from rnnlm.plots.style import Looks, drawing
from rnnlm.plots.trade_offs import draw_trade_off, has_trade_off
from rnnlm.results.columns import COLUMNS
from tests.plots.reading import comparison_of, letters_without_a_glyph, line, numbers, texts
from tests.plots.sweep import CELLS, Runs, run, split

PPL, PARAMETERS, SECONDS = (COLUMNS[n] for n in ("test_ppl", "num_parameters", "train_seconds"))


def drawn(runs: Runs, cost: str = "num_parameters") -> Figure:
    comparison = comparison_of(runs)
    with drawing():
        figure = draw_trade_off(comparison, Looks(comparison.groups), PPL, COLUMNS[cost])
        figure.canvas.draw()
    return figure


def boxes(figure: Figure) -> dict[str, Bbox]:
    """Where the names of cells are."""
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    return {
        t.get_text(): t.get_window_extent(renderer) for t in figure.texts if t.get_text() in CELLS
    }


@pytest.mark.parametrize("cost", [PARAMETERS, SECONDS])
def test_a_point_is_the_mean_of_the_seeds(swept: Runs, cost: object) -> None:
    name = "num_parameters" if cost is PARAMETERS else "train_seconds"
    figure = drawn(swept, name)
    for cell in CELLS:
        own = [record for _, record in swept if record.cell == cell]
        (x,), (y,) = line(figure, cell)
        assert x == pytest.approx(fmean(COLUMNS[name].value(record) for record in own))
        assert y == fmean(PPL.value(record) for record in own)


def test_bars_are_from_the_lowest_seed_to_the_highest(swept: Runs) -> None:
    bars = [numbers(artist) for artist in drawn(swept, "train_seconds").axes[0].lines]
    own = [record for _, record in swept if record.cell == "gru-embed"]
    qualities, costs = [PPL.value(r) for r in own], [SECONDS.value(r) for r in own]
    assert [min(qualities), max(qualities)] in [y for _, y in bars]
    assert [min(costs), max(costs)] in [x for x, _ in bars]


@pytest.mark.parametrize("cost", ["num_parameters", "train_seconds"])
def test_every_point_is_named_and_no_name_is_on_another_or_on_a_point(
    swept: Runs, cost: str
) -> None:
    figure = drawn(swept, cost)
    found = boxes(figure)
    assert set(found) == set(CELLS)
    for one, other in combinations(found.values(), 2):
        assert Bbox.intersection(one, other) is None
    (axes,) = figure.axes
    for cell in CELLS:
        (x,), (y,) = line(figure, cell)
        place = axes.transData.transform((x, y))
        assert not any(box.contains(*place) for box in found.values())
        assert found[cell].padded(40).contains(*place)
        assert axes.bbox.contains(found[cell].x0, found[cell].y0)
        assert axes.bbox.contains(found[cell].x1, found[cell].y1)


def test_axes_and_baselines_are_named(swept: Runs) -> None:
    figure = drawn(swept)
    written = texts(figure)
    assert {"parameters", "test perplexity", "kneser_ney", "300,000"} <= set(written)
    assert "Test perplexity against parameters" in written
    assert "Off the scale: unigram 21.12." in written
    assert "Points: mean over 3 seeds. Bars: from the lowest seed to the highest." in written
    assert not letters_without_a_glyph(figure)


def test_long_times_are_in_hours(tmp_path: Path) -> None:
    runs = [
        run(tmp_path, cell, train_seconds=3600.0 * hours)
        for cell, hours in (("gru-embed", 6), ("rnn-embed", 2))
    ]
    figure = drawn(runs, "train_seconds")
    assert "training time (hours)" in texts(figure)
    assert line(figure, "gru-embed")[0] == [6]


def test_names_that_would_be_upon_one_another_are_in_a_column(tmp_path: Path) -> None:
    runs = [
        run(tmp_path / str(n), options={"model.hidden_size": n}, test=split(1.5 + n / 1000))
        for n in range(10, 34)
    ]
    runs.append(run(tmp_path, "rnn-embed", test=split(2.5), validation=split(2.5)))
    figure = drawn(runs)
    named = [text for text in figure.texts if text.get_text().startswith("model.hidden_size=")]
    assert len(named) == 12
    edge = figure.axes[0].bbox.x1
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    found = [text.get_window_extent(renderer) for text in named]
    assert all(box.x0 > edge for box in found)
    for one, other in combinations(found, 2):
        assert Bbox.intersection(one, other) is None
    assert "In grey: 13 more, which come after these." in texts(figure)


def test_one_group_or_no_costs_have_no_trade_off(swept: Runs, tmp_path: Path) -> None:
    assert has_trade_off(comparison_of(swept), PPL, PARAMETERS)
    assert not has_trade_off(comparison_of([run(tmp_path)]), PPL, PARAMETERS)
    unknown = [run(tmp_path, cell, num_parameters=None) for cell in ("gru-embed", "rnn-embed")]
    assert not has_trade_off(comparison_of(unknown), PPL, PARAMETERS)
