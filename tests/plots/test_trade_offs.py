"""rnnlm/plots/trade_offs.py"""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import pytest

from rnnlm.plots.layout import Plot
from rnnlm.plots.style import drawing, looks_of
from rnnlm.plots.trade_offs import draw_trade_off
from rnnlm.results.columns import COLUMNS
from tests.plots.reading import comparison_of, is_within_its_edges, legend, line, lines, texts
from tests.plots.sweep import CELLS, Runs, run, split

PPL, PARAMETERS, SECONDS = (COLUMNS[n] for n in ("test_ppl", "num_parameters", "train_seconds"))


def drawn_if_any(runs: Runs, cost: str = "num_parameters") -> Plot | None:
    comparison = comparison_of(runs)
    with drawing():
        return draw_trade_off(comparison, looks_of(comparison.groups), PPL, cost)


def drawn(runs: Runs, cost: str = "num_parameters") -> Plot:
    plot = drawn_if_any(runs, cost)
    assert plot
    return plot


@pytest.mark.parametrize("cost", [PARAMETERS, SECONDS])
def test_a_point_is_the_mean_of_the_seeds(swept: Runs, cost: object) -> None:
    name = "num_parameters" if cost is PARAMETERS else "train_seconds"
    plot = drawn(swept, name)
    for cell in CELLS:
        own = [record for _, record in swept if record.model_and_features == cell]
        (x,), (y,) = line(plot, cell)
        assert x == pytest.approx(fmean(COLUMNS[name].value(record) for record in own))
        assert y == fmean(PPL.value(record) for record in own)


def test_bars_are_from_the_lowest_seed_to_the_highest(swept: Runs) -> None:
    bars = lines(drawn(swept, "train_seconds"))
    own = [record for _, record in swept if record.model_and_features == "gru-embed"]
    qualities, costs = [PPL.value(r) for r in own], [SECONDS.value(r) for r in own]
    assert [min(qualities), max(qualities)] in [y for _, y in bars]
    assert [min(costs), max(costs)] in [x for x, _ in bars]


def test_axes_and_baselines_are_named(swept: Runs) -> None:
    plot = drawn(swept)
    written = texts(plot)
    assert {"parameters", "test perplexity", "kneser_ney 5.529", *CELLS} <= set(written)
    assert "Test perplexity against parameters" in written
    assert "Off the scale: unigram 21.12." in written
    assert "Points: mean over 3 seeds. Bars: from the lowest value to the highest." in written
    assert is_within_its_edges(plot)


def test_long_times_are_in_hours(tmp_path: Path) -> None:
    runs = [
        run(tmp_path, cell, train_seconds=3600.0 * hours)
        for cell, hours in (("gru-embed", 6), ("rnn-embed", 2))
    ]
    plot = drawn(runs, "train_seconds")
    assert "training time (hours)" in texts(plot)
    assert line(plot, "gru-embed")[0] == [6]


def test_of_many_groups_the_best_are_told_apart_in_the_order_of_their_values(
    tmp_path: Path,
) -> None:
    runs = [
        run(tmp_path / str(n), options={"model.hidden_size": n}, test=split(1.5 + n / 1000))
        for n in range(10, 34)
    ]
    runs.append(run(tmp_path, "rnn-embed", test=split(2.5), validation=split(2.5)))
    plot = drawn(runs)
    assert legend(plot) == [f"lstm-embed model.hidden_size={n}" for n in range(21, 9, -1)]
    assert is_within_its_edges(plot)
    assert "In grey: 13 more, which are worse on validation." in texts(plot)


def test_one_group_or_no_costs_have_no_trade_off(tmp_path: Path) -> None:
    assert drawn_if_any([run(tmp_path)]) is None
    unknown = [run(tmp_path, cell, num_parameters=None) for cell in ("gru-embed", "rnn-embed")]
    assert drawn_if_any(unknown) is None
