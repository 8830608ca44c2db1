"""rnnlm/plots/curves.py"""

from __future__ import annotations

import csv
import math
import shutil
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from rnnlm.files.run_files import SCALARS
from rnnlm.plots import lettering
from rnnlm.plots.curves import draw_curves
from rnnlm.plots.style import Looks, drawing
from rnnlm.results.history import Against, Histories, Metric
from rnnlm.results.record import Record
from tests.plots.reading import comparison_of, letters_without_a_glyph, line, numbers, texts
from tests.plots.sweep import CELLS, COSTS, Runs, failed, history, run, split, sweep, write_scalars

LOSS, PPL = Metric.loss, Metric.ppl


def drawn(
    runs: Runs,
    metric: Metric = LOSS,
    against: Against = Against.epoch,
    running: bool = False,
    failures: tuple[Record, ...] = (),
) -> Figure:
    comparison = comparison_of(runs)
    with drawing():
        figure = draw_curves(
            comparison,
            Histories(runs),
            Looks(comparison.groups),
            metric,
            against,
            running,
            failures,
        )
        figure.canvas.draw()
    return figure


def logged(runs: Runs, cell: str, column: str) -> list[list[float]]:
    """What the seeds of a cell have logged."""
    found = []
    for folder, record in runs:
        if record.cell == cell:
            with (folder / SCALARS).open(newline="") as file:
                found.append([float(row[column]) for row in csv.DictReader(file)])
    return found


@pytest.mark.parametrize("metric", Metric)
def test_a_line_is_the_mean_of_what_the_seeds_have_logged(swept: Runs, metric: Metric) -> None:
    figure = drawn(swept, metric)
    for cell in CELLS:
        x, y = line(figure, cell)
        seeds = logged(swept, cell, f"{metric.value}/validation")
        assert x == list(range(1, 21))
        assert y == [fmean(values) for values in zip(*seeds, strict=True)]


def test_a_band_is_from_the_lowest_seed_to_the_highest(swept: Runs) -> None:
    figure = drawn(swept)
    bands = [
        np.asarray(artist.get_paths()[0].vertices)[:, 1]
        for artist in figure.axes[0].collections
        if isinstance(artist, PolyCollection)
    ]
    for cell in CELLS:
        seeds = logged(swept, cell, "loss/validation")
        ends = [end(values) for values in zip(*seeds, strict=True) for end in (min, max)]
        assert any(np.array_equal(np.unique(band), np.unique(ends)) for band in bands)
    assert len(bands) == 6


@pytest.mark.parametrize(
    ("against", "column", "add"),
    [(Against.step, "step", 1), (Against.tokens, COSTS[0], 0), (Against.seconds, COSTS[1], 0)],
)
def test_x_is_what_was_logged(swept: Runs, against: Against, column: str, add: int) -> None:
    x, _ = line(drawn(swept, against=against), "gru-onehot")
    seeds = logged(swept, "gru-onehot", column)
    assert x == pytest.approx([fmean(values) + add for values in zip(*seeds, strict=True)])


def test_all_is_named_with_its_unit_and_in_glyphs_there_are(swept: Runs) -> None:
    figure = drawn(swept, PPL, Against.tokens)
    written = texts(figure)
    assert "Validation perplexity against training tokens" in written
    assert "validation perplexity" in written
    assert "training tokens" in written
    assert {*CELLS, "unigram", "kneser_ney"} <= set(written)
    assert "200,000" in written
    assert comparison_of(swept).title in written
    assert "Lines: mean over 3 seeds. Bands: from the lowest seed to the highest." in written
    assert not letters_without_a_glyph(figure)


def test_baselines_are_lines_across_at_their_figure(swept: Runs) -> None:
    figure = drawn(swept)
    level = {y[0]: x for x, y in map(numbers, figure.axes[0].lines) if len(y) == 2 and y[0] == y[1]}
    assert level[3.05] == level[1.71] == [0, 1]
    assert "xz" not in texts(figure)


def test_a_network_measured_with_help_has_no_curve_but_a_line_across(tmp_path: Path) -> None:
    figures: dict[str, Any] = {"train": None, "validation": split(1.5), "adaptation": {}}
    helped = run(tmp_path / "helped", model="lstm+cache", **figures)
    figure = drawn([run(tmp_path), helped])
    across = [y for _, y in map(numbers, figure.axes[0].lines) if len(y) == 2 and y[0] == y[1]]
    assert [1.5, 1.5] in across
    assert "lstm+cache-embed" in texts(figure)
    assert not [text for text in texts(figure) if "Left out" in text]


def test_a_wide_range_is_on_a_logarithmic_scale(tmp_path: Path) -> None:
    one = run(tmp_path)
    write_scalars(one[0], history("lstm-embed", 1, 20, first=math.log(500)))
    assert drawn([one], PPL).axes[0].get_yscale() == "log"
    assert "validation perplexity, log scale" in texts(drawn([one], PPL))
    assert drawn([one], LOSS).axes[0].get_yscale() == "linear"


def test_one_seed_has_no_band(tmp_path: Path) -> None:
    figure = drawn(sweep(tmp_path, seeds=1, cells=("lstm-embed", "gru-embed")))
    assert not figure.axes[0].collections
    assert "One seed each." in texts(figure)


def test_one_epoch_is_a_point(tmp_path: Path) -> None:
    figure = drawn([run(tmp_path, epochs=1)])
    assert line(figure, "lstm-embed")[0] == [1]


def test_a_seed_that_trains_on_is_a_thin_line(tmp_path: Path) -> None:
    runs = [run(tmp_path, seed=seed, epochs=epochs) for seed, epochs in ((1, 5), (2, 9))]
    figure = drawn(runs)
    assert line(figure, "lstm-embed")[0] == [1, 2, 3, 4, 5]
    assert [5, 6, 7, 8, 9] in [numbers(artist)[0] for artist in figure.axes[0].lines]
    assert "Thin lines: seeds that go on after another has stopped." in texts(figure)


def test_the_curve_in_training_can_be_added(swept: Runs) -> None:
    seeds = logged(swept, "rnn-embed", "loss/train_running")
    running = [fmean(values) for values in zip(*seeds, strict=True)]
    figure = drawn(swept, running=True)
    assert running in [numbers(artist)[1] for artist in figure.axes[0].lines]
    assert any(text.startswith("Faint lines: the same in training") for text in texts(figure))
    assert running not in [numbers(artist)[1] for artist in drawn(swept).axes[0].lines]


def test_runs_without_costs_are_named_and_left_out(swept: Runs, tmp_path: Path) -> None:
    runs = copied(swept, tmp_path)
    for folder, record in runs[:2]:
        write_scalars(folder, history(record.cell, record.seed or 0, 20), without=COSTS)
    figure = drawn(runs, against=Against.tokens)
    note = "Left out, for want of cost/tokens in scalars.csv: rnn-embed seeds 1 and 2."
    assert note in texts(figure)
    assert line(figure, "rnn-embed")[1] == logged(runs[2:3], "rnn-embed", "loss/validation")[0]
    assert note not in texts(drawn(runs))


def test_where_no_run_has_logged_it_the_figure_says_so(swept: Runs, tmp_path: Path) -> None:
    runs = copied(swept, tmp_path)
    for folder, record in runs:
        if record.features:
            write_scalars(folder, history(record.cell, record.seed or 0, 20), without=COSTS)
    written = texts(drawn(runs, against=Against.seconds))
    assert "no curve to draw" in written
    assert any(text.startswith("Left out, for want of cost/seconds in") for text in written)


def test_broken_missing_and_failed_runs_are_named(swept: Runs, tmp_path: Path) -> None:
    runs = copied(swept, tmp_path)
    (runs[0][0] / SCALARS).write_text("price\n1\n")
    (runs[4][0] / SCALARS).unlink()
    failures = (failed(model="gru", seed=4)[1], failed(model="gru", seed=5)[1])
    written = texts(drawn(runs, failures=failures))
    assert (
        "Left out, for want of a curve in scalars.csv: lstm-embed seed 2, rnn-embed seed 1."
        in written
    )
    assert "Failed: gru-embed seeds 4 and 5." in written
    assert "Lines: mean over 2 to 3 seeds. Bands: from the lowest seed to the highest." in written


def test_points_that_are_not_finite_are_said_to_be_missing(tmp_path: Path) -> None:
    one = run(tmp_path, epochs=5)
    rows = history("lstm-embed", 1, 5)
    rows[0]["ppl/validation"] = math.inf
    write_scalars(one[0], rows)
    assert line(drawn([one], PPL), "lstm-embed")[0] == [2, 3, 4, 5]
    assert "Points that are infinite, or as good as, are left out of lstm-embed seed 1." in texts(
        drawn([one], PPL)
    )


def test_of_many_groups_the_best_are_told_apart(tmp_path: Path) -> None:
    runs = [
        run(tmp_path / str(size), seed=size, epochs=3, options={"model.hidden_size": size})
        for size in range(1, 16)
    ]
    written = texts(drawn(runs))
    named = [text for text in written if text.startswith("model.hidden_size=")]
    assert len(named) == 12
    assert "In grey: 3 more, which come after these 12 by validation bits per character." in written


def test_a_long_name_and_a_long_title_are_broken_into_lines(tmp_path: Path) -> None:
    options = {"model.hidden_size": 128, "a_very_long_name.of_an_option_without_any_break_in_it": 1}
    runs = [
        run(tmp_path / "a", options=options, source="x" * 300),
        run(tmp_path / "b", source="x" * 300, options=dict.fromkeys(options, 2)),
    ]
    figure = drawn(runs)
    width = figure.bbox.width
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    for text in figure.texts:
        box = text.get_window_extent(renderer)
        assert box.x0 >= 0
        assert box.x1 <= width
    assert "".join(text.get_text() for text in figure.texts).count("x") >= 300


@pytest.mark.parametrize("with_font", [True, False])
def test_a_chinese_source_is_never_an_empty_box(
    with_font: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not with_font:
        monkeypatch.setattr(lettering, "installed_families", list)
    elif not any(
        set("红楼梦") <= lettering.characters(family) for family in lettering.installed_families()
    ):
        pytest.skip("no Chinese font is installed")
    figure = drawn([run(tmp_path, source="红楼梦.txt")])
    title = next(text for text in texts(figure) if "vocabulary" in text)
    assert ("红楼梦.txt" if with_font else "U+7EA2 U+697C U+68A6.txt") in title
    assert not letters_without_a_glyph(figure)


def test_dollars_and_underscores_are_letters(tmp_path: Path) -> None:
    figure = drawn([run(tmp_path, source="$a_b$ \\frac.txt")])
    assert any("$a_b$ \\frac.txt" in text for text in texts(figure))


def copied(runs: Runs, folder: Path) -> Runs:
    """The runs in folders of their own, for a test to change."""
    found = []
    for index, (path, record) in enumerate(runs):
        shutil.copytree(path, folder / str(index))
        found.append((folder / str(index), record))
    return found
