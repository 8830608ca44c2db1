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

from rnnlm.files.run_files import SCALARS
from rnnlm.plots.curves import draw_curves
from rnnlm.plots.layout import Plot
from rnnlm.plots.style import drawing, looks_of
from rnnlm.results.history import Histories, Metric, XAxis
from rnnlm.results.record import Record
from tests.plots.reading import comparison_of, is_within_its_edges, legend, line, lines, texts
from tests.plots.sweep import CELLS, COSTS, Runs, failed, history, run, split, sweep, write_scalars

LOSS, PPL = Metric.loss, Metric.ppl


def drawn(
    runs: Runs,
    metric: Metric = LOSS,
    against: XAxis = XAxis.epoch,
    running: bool = False,
    failures: tuple[Record, ...] = (),
) -> Plot:
    comparison, histories = comparison_of(runs), Histories(runs)
    looks = looks_of(comparison.groups)
    with drawing():
        return draw_curves(comparison, histories, looks, metric, against, running, failures)


def logged(runs: Runs, cell: str, column: str) -> list[list[float]]:
    """The logged values of each seed of a cell."""
    found = []
    for folder, record in runs:
        if record.model_and_features == cell:
            with (folder / SCALARS).open(newline="") as file:
                found.append([float(row[column]) for row in csv.DictReader(file)])
    return found


@pytest.mark.parametrize("metric", Metric)
def test_a_line_is_the_mean_of_what_the_seeds_have_logged(swept: Runs, metric: Metric) -> None:
    plot = drawn(swept, metric)
    for cell in CELLS:
        x, y = line(plot, cell)
        seeds = logged(swept, cell, f"{metric.value}/validation")
        assert x == list(range(1, 21))
        assert y == [fmean(values) for values in zip(*seeds, strict=True)]


def test_a_band_is_from_the_lowest_seed_to_the_highest(swept: Runs) -> None:
    plot = drawn(swept)
    bands = [
        np.asarray(artist.get_paths()[0].vertices)[:, 1]
        for artist in plot.figure.axes[0].collections
        if isinstance(artist, PolyCollection)
    ]
    for cell in CELLS:
        seeds = logged(swept, cell, "loss/validation")
        ends = [end(values) for values in zip(*seeds, strict=True) for end in (min, max)]
        assert any(np.array_equal(np.unique(band), np.unique(ends)) for band in bands)
    assert len(bands) == 6


@pytest.mark.parametrize(
    ("against", "column", "add"),
    [(XAxis.step, "step", 1), (XAxis.tokens, COSTS[0], 0), (XAxis.seconds, COSTS[1], 0)],
)
def test_x_is_what_was_logged(swept: Runs, against: XAxis, column: str, add: int) -> None:
    x, _ = line(drawn(swept, against=against), "gru-onehot")
    seeds = logged(swept, "gru-onehot", column)
    assert x == pytest.approx([fmean(values) + add for values in zip(*seeds, strict=True)])


def test_all_is_named_with_its_unit(swept: Runs) -> None:
    plot = drawn(swept, PPL, XAxis.tokens)
    written = texts(plot)
    assert "Validation perplexity against training tokens" in written
    assert "validation perplexity" in written
    assert "training tokens" in written
    assert set(legend(plot)) == {*CELLS, "unigram 21.12", "kneser_ney 5.529"}
    assert "200,000" in written
    assert comparison_of(swept).title in written
    assert "Lines: mean over 3 seeds. Bands: from the lowest value to the highest." in written


def test_baselines_are_lines_across_at_their_value(swept: Runs) -> None:
    plot = drawn(swept)
    level = {y[0]: x for x, y in lines(plot) if len(y) == 2 and y[0] == y[1]}
    assert level[3.05] == level[1.71] == [0, 1]
    assert "xz" not in texts(plot)


def test_a_network_after_adaptation_has_no_curve_but_a_line_across(tmp_path: Path) -> None:
    metrics: dict[str, Any] = {"train": None, "validation": split(1.5), "adaptation": {}}
    adapted = run(tmp_path / "adapted", model="lstm+cache", **metrics)
    plot = drawn([run(tmp_path), adapted])
    across = [y for _, y in lines(plot) if len(y) == 2 and y[0] == y[1]]
    assert [1.5, 1.5] in across
    assert "lstm+cache-embed 1.500" in legend(plot)
    assert not [text for text in texts(plot) if "Left out" in text]


def test_a_wide_range_is_on_a_logarithmic_scale(tmp_path: Path) -> None:
    one = run(tmp_path)
    write_scalars(one[0], history("lstm-embed", 1, 20, first=math.log(500)))
    assert drawn([one], PPL).figure.axes[0].get_yscale() == "log"
    assert "validation perplexity, log scale" in texts(drawn([one], PPL))
    assert drawn([one], LOSS).figure.axes[0].get_yscale() == "linear"


def test_one_seed_has_no_band(tmp_path: Path) -> None:
    plot = drawn(sweep(tmp_path, seeds=1, cells=("lstm-embed", "gru-embed")))
    assert not plot.figure.axes[0].collections
    assert "One seed each." in texts(plot)


def test_one_epoch_is_a_point(tmp_path: Path) -> None:
    plot = drawn([run(tmp_path, epochs=1)])
    assert line(plot, "lstm-embed")[0] == [1]


def test_a_seed_that_trains_on_is_a_thin_line(tmp_path: Path) -> None:
    runs = [run(tmp_path, seed=seed, epochs=epochs) for seed, epochs in ((1, 5), (2, 9))]
    plot = drawn(runs)
    assert line(plot, "lstm-embed")[0] == [1, 2, 3, 4, 5]
    assert [5, 6, 7, 8, 9] in [x for x, _ in lines(plot)]
    assert "Thin lines: seeds that go on after another has stopped." in texts(plot)


def test_the_curve_in_training_can_be_added(swept: Runs) -> None:
    seeds = logged(swept, "rnn-embed", "loss/train_running")
    running = [fmean(values) for values in zip(*seeds, strict=True)]
    plot = drawn(swept, running=True)
    assert running in [y for _, y in lines(plot)]
    assert any(text.startswith("Faint lines: the same in training") for text in texts(plot))
    assert running not in [y for _, y in lines(drawn(swept))]


def test_runs_without_costs_are_named_and_left_out(swept: Runs, tmp_path: Path) -> None:
    runs = copied(swept, tmp_path)
    for folder, record in runs[:2]:
        write_scalars(
            folder, history(record.model_and_features, record.seed or 0, 20), without=COSTS
        )
    plot = drawn(runs, against=XAxis.tokens)
    note = "Left out, without cost/tokens in scalars.csv: rnn-embed seeds 1 and 2."
    assert note in texts(plot)
    assert line(plot, "rnn-embed")[1] == logged(runs[2:3], "rnn-embed", "loss/validation")[0]
    assert note not in texts(drawn(runs))


def test_where_no_run_has_logged_it_the_plot_says_so(swept: Runs, tmp_path: Path) -> None:
    runs = copied(swept, tmp_path)
    for folder, record in runs:
        if record.features:
            write_scalars(
                folder, history(record.model_and_features, record.seed or 0, 20), without=COSTS
            )
    written = texts(drawn(runs, against=XAxis.seconds))
    assert "no curve to draw" in written
    assert any(text.startswith("Left out, without cost/seconds in") for text in written)


def test_broken_missing_and_failed_runs_are_named(swept: Runs, tmp_path: Path) -> None:
    runs = copied(swept, tmp_path)
    (runs[0][0] / SCALARS).write_text("price\n1\n")
    (runs[4][0] / SCALARS).unlink()
    failures = (failed(model="gru", seed=4)[1], failed(model="gru", seed=5)[1])
    written = texts(drawn(runs, failures=failures))
    assert (
        "Left out, without a curve in scalars.csv: lstm-embed seed 2, rnn-embed seed 1." in written
    )
    assert "Failed: gru-embed seeds 4 and 5." in written
    assert "Lines: mean over 2 to 3 seeds. Bands: from the lowest value to the highest." in written


def test_points_that_are_not_finite_are_said_to_be_missing(tmp_path: Path) -> None:
    one = run(tmp_path, epochs=5)
    rows = history("lstm-embed", 1, 5)
    rows[0]["ppl/validation"] = math.inf
    write_scalars(one[0], rows)
    assert line(drawn([one], PPL), "lstm-embed")[0] == [2, 3, 4, 5]
    assert "Points left out as infinite, or nearly so: lstm-embed seed 1." in texts(
        drawn([one], PPL)
    )


def test_of_many_groups_the_best_are_told_apart(tmp_path: Path) -> None:
    runs = [
        run(tmp_path / str(size), seed=size, epochs=3, options={"model.hidden_size": size})
        for size in range(1, 16)
    ]
    plot = drawn(runs)
    assert len(legend(plot)) == 12
    assert len(plot.figure.axes[0].lines) == 15
    written = texts(plot)
    assert (
        "In grey: 3 more, which are worse than these 12 by validation bits per character."
        in written
    )


def test_the_legend_has_the_order_of_the_curves_last_values(swept: Runs) -> None:
    plot = drawn(swept)
    ends = {name: line(plot, name)[1][-1] for name in CELLS}
    guides = {"unigram 3.050": 3.05, "kneser_ney 1.710": 1.71}
    assert legend(plot) == sorted(ends | guides, key=(ends | guides).__getitem__, reverse=True)


def test_a_long_name_and_a_long_title_are_broken_into_lines(tmp_path: Path) -> None:
    options = {"model.hidden_size": 128, "a_very_long_name.of_an_option_without_any_break_in_it": 1}
    runs = [
        run(tmp_path / "a", options=options, source="x" * 300),
        run(tmp_path / "b", source="x" * 300, options=dict.fromkeys(options, 2)),
    ]
    plot = drawn(runs)
    assert is_within_its_edges(plot)
    assert "".join(texts(plot)).count("x") >= 300
    axes, names = plot.figure.axes[0], plot.figure.axes[0].get_legend()
    assert names
    assert axes.bbox.width > names.get_window_extent().width
    assert axes.bbox.height > names.get_window_extent().height


def test_dollars_and_underscores_are_letters(tmp_path: Path) -> None:
    plot = drawn([run(tmp_path, source="$a_b$ \\frac.txt")])
    assert any("$a_b$ \\frac.txt" in text for text in texts(plot))


def copied(runs: Runs, folder: Path) -> Runs:
    """The runs in folders of their own, for a test to change."""
    found = []
    for index, (path, record) in enumerate(runs):
        shutil.copytree(path, folder / str(index))
        found.append((folder / str(index), record))
    return found
