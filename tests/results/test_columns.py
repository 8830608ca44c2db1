"""rnnlm/results/columns.py"""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnlm.results.columns import NoSuchColumnError, column_named
from rnnlm.results.grouping import comparisons
from rnnlm.results.record import Record
from rnnlm.results.tables.group_table import groups_table
from rnnlm.results.tables.run_table import runs_table
from tests.support.records import record, shown
from tests.trained_runs import TrainedRuns


def answering(seed: int, *shares: float) -> Record:
    """A run that has so many of the sums of one digit, of two and so on right."""
    by_digits = {
        str(digits): {"share": share, "tasks": 10.0**digits}
        for digits, share in enumerate(shares, 1)
    }
    return record(seed=seed, exact_match=0.5, exact_match_by={"digits": by_digits})


def test_a_kind_of_task_has_its_share_and_how_many_tasks_it_is_of() -> None:
    columns = ["exact_match[digits=2]", "tasks[digits=2]"]
    table = runs_table([answering(1, 1.0, 0.25), record(seed=2)], columns)
    assert [[value.shown for value in row] for row in table.rows] == [["25.00%", "100"], ["-", "-"]]
    assert [h.heading for h in table.headings] == ["exact match digits=2", "tasks digits=2"]
    assert [value.is_best for value in table.column("exact_match[digits=2]")] == [True, False]


def test_kinds_that_only_some_runs_have_are_columns_too() -> None:
    runs = [answering(1, 1.0), answering(2, 0.5, 0.25)]
    assert sorted(shown(runs_table(runs, ["exact_match[digits=2]"]), "exact_match[digits=2]")) == [
        "-",
        "25.00%",
    ]


def test_a_share_of_tasks_has_a_mean_over_seeds_and_their_number_has_none() -> None:
    found = comparisons([answering(1, 0.90), answering(2, 0.94)])
    table = groups_table(found, columns=["exact_match[digits=1]", "tasks[digits=1]"])
    assert [value.shown for value in table.rows[0]] == ["92.00% ± 25.41% (2.83%)", "10"]


def test_the_columns_of_a_real_run_add_up_to_its_exact_match(trained_runs: TrainedRuns) -> None:
    run = Record.read(trained_runs("sums"))
    for name in ("digits", "carries"):
        kinds = [f"[{name}={number}]" for number in run.exact_match_by[name]]
        assert len(kinds) > 1
        shares = [column_named(f"exact_match{kind}", [run]).value(run) for kind in kinds]
        tasks = [column_named(f"tasks{kind}", [run]).value(run) for kind in kinds]
        assert sum(tasks) == 40
        right = sum(share * count for share, count in zip(shares, tasks, strict=True))
        assert right / 40 == pytest.approx(run.exact_match)


def test_an_unknown_kind_is_told_which_there_are() -> None:
    with pytest.raises(NoSuchColumnError, match=r"no column exact_match\[digits=9\]; .*") as error:
        column_named("exact_match[digits=9]", [answering(1, 1.0)])
    assert "exact_match[digits=1], tasks[digits=1], those of an epoch" in str(error.value)


def test_a_metric_at_an_epoch_is_a_column_and_has_a_mean_over_seeds() -> None:
    def with_history(seed: int, *losses: float | None) -> Record:
        return record(seed=seed, history={"validation": list(losses), "train_running": [1.0]})

    runs = [with_history(1, 2.0, None, 0.0), with_history(2, 2.0)]
    columns = ["validation_ppl@3", "validation_loss@1", "validation_ppl@2", "train_running_ppl@1"]
    table = runs_table(runs, columns)
    assert [value.shown for value in table.rows[0]] == ["1.000", "2.000", "-", "2.718"]
    assert [value.shown for value in table.rows[1]] == ["-", "2.000", "-", "2.718"]
    assert table.headings[0].heading == "validation ppl at epoch 3"
    columns = ["train_running_ppl@1", "validation_loss@1"]
    (group,) = groups_table(comparisons(runs), columns=columns).rows
    assert [value.shown for value in group] == ["2.718 ± 0.000 (0.000)", "2.000 ± 0.000 (0.000)"]


@pytest.mark.parametrize(
    "name", ["validation_ppl@0", "test_ppl@3", "validation_ppl@x", "validation_ppl@", "ppl@3"]
)
def test_only_what_was_measured_in_an_epoch_is_such_a_column(name: str) -> None:
    with pytest.raises(NoSuchColumnError, match=f"no column {name}; .* validation_ppl@10"):
        column_named(name, [record()])


def test_the_history_of_a_real_run_is_its_curve(trained_runs: TrainedRuns) -> None:
    run = Record.read(trained_runs("prose"))
    assert run.validation is not None
    assert run.best_epoch is not None
    column = column_named(f"validation_loss@{run.best_epoch}", [run])
    assert column.value(run) == run.validation["loss"]


def test_a_record_with_kinds_comes_back(tmp_path: Path) -> None:
    answering(1, 1.0, 0.25).write(tmp_path)
    assert Record.read(tmp_path) == answering(1, 1.0, 0.25)
