"""rnnlm/plots/all_plots.py"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnlm.files.run_files import SCALARS
from rnnlm.plots.all_plots import draw_all, file_prefixes
from rnnlm.plots.layout import Plot
from rnnlm.plots.saving import Format, encoded
from rnnlm.results.columns import RANKED
from rnnlm.results.grouping import comparisons
from rnnlm.results.history import CURVES, Metric, ScalarsError, XAxis
from rnnlm.results.record import FAILED
from tests.plots.reading import texts
from tests.plots.sweep import (
    COSTS,
    Runs,
    baseline,
    failed,
    history,
    run,
    split,
    sweep,
    write_scalars,
)
from tests.support.records import record

OF_A_COMPARISON = [
    *(f"curves-{y}-{x}" for y in ("loss", "ppl") for x in ("epoch", "step", "tokens", "seconds")),
    "grid-test_ppl",
    "test_ppl-num_parameters",
    "test_ppl-train_seconds",
]


def drawn(runs: Runs, *choices: Any, **more: Any) -> tuple[list[Plot], list[ScalarsError]]:
    return draw_all(runs, comparisons([record for _, record in runs]), *choices, **more)


def test_all_plots_of_two_corpora_are_drawn(swept: Runs, tmp_path: Path) -> None:
    tang = sweep(tmp_path, seeds=1, data="tang", text_sha256="feed", held_out_sha256="beef")
    plots, broken = drawn([*swept, *tang])
    assert not broken
    assert [plot.name for plot in plots] == [
        f"{data}-{name}" for data in ("tang", "time_machine") for name in OF_A_COMPARISON
    ]
    assert plots[4].title == (
        "Validation perplexity against epochs. "
        "tang · sample · text feed · vocabulary 70 · 200 test tokens"
    )
    for plot in plots:
        assert plot.title.partition(". ")[0] in texts(plot)


def test_only_what_is_asked_for_is_drawn(swept: Runs) -> None:
    plots, _ = drawn(swept, [XAxis.seconds], [Metric.ppl], RANKED["validation_loss"], running=True)
    assert [plot.name for plot in plots] == [
        "time_machine-curves-ppl-seconds",
        "time_machine-grid-validation_loss",
        "time_machine-validation_loss-num_parameters",
        "time_machine-validation_loss-train_seconds",
    ]
    assert any(text.startswith("Faint lines") for text in texts(plots[0]))


def test_tasks_have_a_grid_of_their_answers(tmp_path: Path) -> None:
    runs = [run(tmp_path, cell, exact_match=0.5) for cell in ("gru-embed", "rnn-embed")]
    assert "time_machine-grid-exact_match" in [plot.name for plot in drawn(runs)[0]]


def test_broken_scalars_are_named(tmp_path: Path) -> None:
    runs = [run(tmp_path, seed=1), run(tmp_path, seed=2)]
    (runs[1][0] / SCALARS).unlink()
    _, broken = drawn(runs)
    assert [str(error) for error in broken] == [f"{runs[1][0] / SCALARS} is missing"]


def test_a_failed_run_is_named_where_it_belongs(swept: Runs, tmp_path: Path) -> None:
    tang = run(tmp_path, data="tang", text_sha256="feed")
    plots, broken = drawn([*swept, tang, failed(seed=9)], [XAxis.epoch], [Metric.ppl])
    said = {plot.name: "Failed: lstm-embed seed 9." in texts(plot) for plot in plots}
    assert said.pop("tang-curves-ppl-epoch") is False
    assert set(said.values()) == {True}
    assert not broken


def test_of_a_text_in_two_vocabularies_a_failed_run_belongs_to_its_own(tmp_path: Path) -> None:
    runs = [run(tmp_path / held_out, held_out_sha256=held_out) for held_out in ("one", "two")]
    assert runs[0][1].status != FAILED
    plots, _ = drawn([*runs, failed(seed=9, held_out_sha256="two")], [XAxis.epoch], [Metric.ppl])
    said = ["Failed: lstm-embed seed 9." in texts(plot) for plot in plots]
    assert sorted(said) == [False, True]


def test_nothing_has_no_plots(tmp_path: Path) -> None:
    assert drawn([]) == ([], [])
    assert drawn([failed()]) == ([], [])
    assert drawn([baseline(tmp_path, "unigram", 3.0)]) == ([], [])


def test_a_single_group_has_curves_alone(tmp_path: Path) -> None:
    plots, _ = drawn([run(tmp_path)])
    assert [plot.name for plot in plots] == [f"time_machine-{n}" for n in OF_A_COMPARISON[:8]]


def test_a_title_has_no_control_characters(tmp_path: Path) -> None:
    plots, _ = drawn([run(tmp_path, source="a\x00b")])
    assert "a\\x00b" in plots[0].title


def test_two_texts_of_a_corpus_are_told_apart_by_name(tmp_path: Path) -> None:
    runs = [
        run(tmp_path / "a", text_sha256="1" * 64),
        run(tmp_path / "b", text_sha256="2" * 64, held_out_sha256="3" * 64),
        run(tmp_path / "c", text_sha256="2" * 64, held_out_sha256="4" * 64),
    ]
    plots, _ = drawn(runs, [XAxis.epoch], [Metric.ppl])
    assert sorted(plot.name for plot in plots) == [
        "time_machine-11111111-curves-ppl-epoch",
        "time_machine-22222222-33333333-curves-ppl-epoch",
        "time_machine-22222222-44444444-curves-ppl-epoch",
    ]


@given(
    st.lists(
        st.tuples(
            st.text(max_size=5) | st.sampled_from(["tang", "Tang", "../x", "a" * 99]),
            st.text(max_size=3),
            st.none() | st.text(max_size=2),
        ),
        max_size=6,
    )
)
def test_names_are_fit_for_files_and_unique(of: list[tuple[str, str, str | None]]) -> None:
    found = comparisons(
        [
            record(data=data, text_sha256=text, held_out_sha256=held_out)
            for data, text, held_out in of
        ]
    )
    names = file_prefixes(found)
    assert len({name.casefold() for name in names}) == len(found)
    assert all(re.fullmatch(r"[\w-]{1,250}", name) for name in names)


AWKWARD = st.sampled_from([0, 1e-300, 2, 700, 1e12, 1e300, math.inf, math.nan, -1, -1e300])


@given(st.data())
@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_was_logged_can_be_drawn(tmp_path: Path, data: st.DataObject) -> None:
    runs = [baseline(tmp_path, "unigram", 2.0)]
    for cell in ("gru-embed", "rnn-embed"):
        metrics = {**split(1.0), "ppl": data.draw(AWKWARD)}
        folder, made = run(tmp_path, cell, test=metrics, train_seconds=abs(data.draw(AWKWARD)))
        rows = history(cell, 1, 3)
        for row in rows:
            row |= {name: data.draw(AWKWARD) for name in (*CURVES, *COSTS)}
        write_scalars(folder, rows)
        runs.append((folder, made))
    plots, _ = drawn(runs, [XAxis.epoch, XAxis.seconds], running=True)
    assert all(encoded(plot, Format.png) for plot in plots)
