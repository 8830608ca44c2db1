"""rnnlm/report/account.py"""

from __future__ import annotations

from rnnlm.report.account import command, facts, made_with, question, shared_options
from rnnlm.results.grouping import comparisons
from tests.support.records import record, split


def test_the_question_names_what_varies() -> None:
    records = [
        record(model=model, options={"model.hidden_size": size, "optimizer.lr": 0.1})
        for model in ("lstm", "gru")
        for size in (8, 16)
    ]
    assert question(records) == (
        "Which is best: lstm or gru, with embed, on time_machine, over model.hidden_size?"
    )


def test_options_are_shared_where_all_cells_have_the_same() -> None:
    baseline = record(model="xz", features=None, seed=None, options={"model.name": "xz"})
    common = {"optimizer.lr": 0.1, "trainer.deterministic": False, "trainer.max_time": None}
    cells = [record(options={**common, "model.hidden_size": size}) for size in (8, 16)]
    assert shared_options([*cells, baseline]) == {
        "optimizer.lr": "0.1",
        "trainer.deterministic": "false",
        "trainer.max_time": "null",
    }
    assert shared_options([record()]) == {}


def test_the_command_gives_all_seeds_of_a_group() -> None:
    given = ["model=gru", "+x='a b'"]
    records = [record(seed=s, overrides=[*given, f"seed={s}"]) for s in (2, 1)]
    (group,) = comparisons(records)[0].groups
    assert command(group) == """python run.py -m model=gru '+x='"'"'a b'"'"'' seed=1,2"""
    (alone,) = comparisons(records[:1])[0].groups
    assert command(alone).endswith(" seed=2")
    (default,) = comparisons([record(seed=1, overrides=["model=gru"])])[0].groups
    assert command(default) == "python run.py model=gru"


def test_the_facts_are_told_where_the_best_is_adapted() -> None:
    adapted = record(model="lstm+cache", adaptation={}, train=None, validation=split(2.0))
    (comparison,) = comparisons([record(), adapted])
    assert comparison.records[0] is adapted
    assert dict(facts(comparison))["train"] == "100 tokens, 100 characters"


def test_what_it_was_made_with_names_all_there_was() -> None:
    records = [
        record(device="cpu", git_revision="a" * 40, finished_at="2026-11-20T10:00:00+00:00"),
        record(device="H200", git_revision="a" * 40, finished_at="2026-11-21T10:00:00+00:00"),
    ]
    said = dict(made_with(records))
    assert said["device"] == "cpu, H200"
    assert said["revision"] == "a" * 12
    assert said["trained"] == "2026-11-20 to 2026-11-21"
