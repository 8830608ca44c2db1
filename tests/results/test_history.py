"""rnnlm/results/history.py"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rnnlm.files.run_files import SCALARS
from rnnlm.results.history import (
    COSTS,
    CURVES,
    CurveSplit,
    Metric,
    ScalarsError,
    XAxis,
    read_history,
)
from rnnlm.training import scalars
from tests.plots.sweep import history, write_scalars

HEADING = "step,epoch,loss/validation,ppl/validation"
LOSS = (Metric.loss, CurveSplit.validation)


def written(folder: Path, *lines: str) -> Path:
    (folder / SCALARS).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_a_run_is_read_as_it_was_logged(tmp_path: Path) -> None:
    rows = history("lstm-embed", seed=1, epochs=4)
    write_scalars(tmp_path, rows)
    read = read_history(tmp_path)
    for metric in Metric:
        for measured in CurveSplit:
            values = [row[f"{metric.value}/{measured.value}"] for row in rows]
            series = read.series(metric, measured, XAxis.epoch)
            assert series == {n: (n, value) for n, value in zip((1, 2, 3, 4), values, strict=True)}
    steps = read.series(*LOSS, XAxis.step).values()
    assert [x for x, _ in steps] == [row["step"] + 1 for row in rows]
    for against, name in COSTS.items():
        found = read.series(*LOSS, against).values()
        assert [x for x, _ in found] == [row[name] for row in rows]


def test_what_the_logger_writes_is_read(tmp_path: Path) -> None:
    logger = scalars.ScalarsCSV(tmp_path)
    logger.log_metrics({"loss/validation": 2.5, "cost/seconds": 0.5, "epoch": 0}, step=9)
    logger.log_metrics({"loss/test": 1.0, "ppl/test": 2.7}, step=4)
    logger.finalize("success")
    assert read_history(tmp_path).series(*LOSS, XAxis.seconds) == {1: (0.5, 2.5)}


def test_validations_within_an_epoch_are_spread_over_it(tmp_path: Path) -> None:
    folder = written(tmp_path, HEADING, "4,0,3,20", "9,0,2,8", "14,1,1.5,5")
    assert list(read_history(folder).series(*LOSS, XAxis.epoch)) == [0.5, 1, 1.5]


def test_a_running_loss_without_a_validation_is_at_the_end_of_its_epoch(tmp_path: Path) -> None:
    folder = written(
        tmp_path, "step,epoch,loss/train_running,loss/validation", "4,0,3,", "9,1,2,2.5"
    )
    running = (Metric.loss, CurveSplit.running, XAxis.epoch)
    assert read_history(folder).series(*running) == {1: (1, 3), 2: (2, 2)}
    assert list(read_history(folder).series(*LOSS, XAxis.epoch)) == [2]


def test_older_runs_have_no_costs(tmp_path: Path) -> None:
    folder = written(tmp_path, HEADING, "4,0,3,20")
    assert read_history(folder).series(*LOSS, XAxis.tokens) == {}


def test_what_is_not_finite_is_no_point(tmp_path: Path) -> None:
    read = read_history(written(tmp_path, HEADING, "4,0,800,inf", "9,1,2,8"))
    assert list(read.series(Metric.ppl, CurveSplit.validation, XAxis.epoch)) == [2]
    assert not read.is_whole(Metric.ppl, CurveSplit.validation)
    assert read.is_whole(*LOSS)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is not the scalars of a run"),
        (b"epoch,price\n1,2\n", "is not the scalars of a run"),
        (b"step,epoch\n1,2\n", "is not the scalars of a run"),
        (b"\xff\xfe", "is damaged"),
        (f"{HEADING}\n".encode(), "holds no validation"),
        (f"{HEADING}\n1,0,,\n".encode(), "holds no validation"),
        (b"step,epoch,loss/train_running\n1,0,2\n", "holds no validation"),
        (f"{HEADING}\n1,0,x,2\n".encode(), "is damaged: .*'x'"),
        (f"{HEADING}\n1,0,2\n".encode(), "is damaged: a row has more or fewer fields"),
        (f"{HEADING}\n1,0,2,2,2\n".encode(), "is damaged: a row has more or fewer fields"),
        (f"{HEADING}\n1.5,0,2,2\n".encode(), "is damaged: '1.5' is not the number of a step"),
        (f"{HEADING}\n1,-1,2,2\n".encode(), "is damaged: '-1' is not the number of a epoch"),
        (f"{HEADING}\n1,1e300,2,2\n".encode(), "is damaged: '1e300' is not the number of a epoch"),
        (f"{HEADING}\n1,nan,2,2\n".encode(), "is damaged: 'nan' is not the number of a epoch"),
        (f"{HEADING}\n,0,2,2\n".encode(), "is damaged: '' is not the number of a step"),
    ],
)
def test_what_is_no_curve_is_named(content: bytes, problem: str, tmp_path: Path) -> None:
    (tmp_path / SCALARS).write_bytes(content)
    with pytest.raises(ScalarsError, match=f"{SCALARS} {problem}"):
        read_history(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScalarsError, match="is missing"):
        read_history(tmp_path)
    (tmp_path / SCALARS).mkdir()
    with pytest.raises(ScalarsError, match="cannot be read"):
        read_history(tmp_path)


def test_a_file_that_is_not_as_the_run_has_left_it_is_damaged(tmp_path: Path) -> None:
    path = written(tmp_path, HEADING, "4,0,3,20") / SCALARS
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert read_history(tmp_path, sha256) == read_history(tmp_path)
    written(tmp_path, HEADING, "4,0,2,20")
    with pytest.raises(ScalarsError, match=f"{SCALARS} is damaged"):
        read_history(tmp_path, sha256)


def read_or_refused(folder: Path) -> None:
    """Every series of a history has numbers that can be drawn."""
    with contextlib.suppress(ScalarsError):
        read = read_history(folder)
        for metric in Metric:
            for against in XAxis:
                for epoch, (x, y) in read.series(metric, CurveSplit.validation, against).items():
                    assert 0 < epoch <= 2**53
                    assert abs(x) + abs(y) >= 0


@given(st.text() | st.text().map(lambda text: f"{HEADING}\n{text}"))
@example('step,epoch,loss/validation\n1,0,"2')
@example("step,epoch,loss/validation\n1,0,\0")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_a_history_or_a_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / SCALARS).write_bytes(text.encode("utf-8", "surrogatepass"))
    read_or_refused(tmp_path)


values = st.integers(0, 50).map(str) | st.floats().map(str) | st.sampled_from(["", "x", "1e999"])


@given(
    names=st.lists(st.sampled_from(["step", "epoch", *CURVES, *COSTS.values()])),
    rows=st.lists(st.lists(values, min_size=8, max_size=8), max_size=6),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_rows_are_a_history_or_a_clear_error(
    tmp_path: Path, names: list[str], rows: list[list[str]]
) -> None:
    text = io.StringIO()
    heading = ["step", "epoch", "loss/validation", *names]
    csv.writer(text).writerows([heading, *([*row, *row][: len(heading)] for row in rows)])
    (tmp_path / SCALARS).write_text(text.getvalue(), encoding="utf-8")
    read_or_refused(tmp_path)
