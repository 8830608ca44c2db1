"""rnnlm/cli/conditions.py"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.cli.conditions import Condition, conditions_in
from rnnlm.cli.output import RefusedError
from rnnlm.results.record import Record
from tests.support.records import record


def runs(**options: Sequence[object]) -> list[tuple[Path, Record]]:
    """A run for each value of options that are swept together."""
    rows = zip(*options.values(), strict=True)
    return [
        (Path(str(index)), record(seed=index, options=dict(zip(options, row, strict=True))))
        for index, row in enumerate(rows)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model=lstm", [("model", "lstm")]),
        ("model=lstm,gru", [("model", "lstm,gru")]),
        ("seed=1,2", [("seed", "1,2")]),
        ("model=lstm,seed=2", [("model", "lstm"), ("seed", "2")]),
        (
            "optimizer.lr=0.01,0.02,model.hidden_size=64",
            [("optimizer.lr", "0.01,0.02"), ("model.hidden_size", "64")],
        ),
        (" model = lstm , seed = 2 ", [("model", "lstm"), ("seed", "2")]),
        ("exact_match[digits=3]=1,validation_ppl@10=2", None),
        ("source=a=b.txt", [("source", "a=b.txt")]),
        ("source=小说.txt,第二.txt", [("source", "小说.txt,第二.txt")]),
    ],
)
def test_a_comma_goes_before_another_value_or_another_condition(
    text: str, expected: list[tuple[str, str]] | None
) -> None:
    expected = expected or [("exact_match[digits=3]", "1"), ("validation_ppl@10", "2")]
    assert conditions_in(text) == [Condition(name, values) for name, values in expected]


@pytest.mark.parametrize(
    ("value", "typed", "others"),
    [
        (0.01, ["0.01", "1e-2", "0.010", " .01"], ["0.011", "x", ""]),
        (1, ["1", "1.0", "+1", "1e0"], ["true", "2"]),
        (1.0, ["1"], ["10"]),
        (64, ["64,32", "32,64"], ["640"]),
        (True, ["true", "True"], ["1", "yes"]),
        (None, ["null", "None"], ["0", ""]),
        ("1e-2", ["1e-2"], ["0.01"]),
        ("32-true", ["32-true"], ["32"]),
        ("a,b.txt", ["a,b.txt"], ["a", "b.txt"]),
        (10**15, ["1e15", "1" + "0" * 15], ["1" * 5_000]),
    ],
)
def test_numbers_compare_as_numbers_and_names_as_names(
    value: object, typed: list[str], others: list[str]
) -> None:
    assert [text for text in typed if not Condition("x", text.strip()).is_met_by(value)] == []
    assert [text for text in others if Condition("x", text).is_met_by(value)] == []


def test_all_conditions_are_met_at_once() -> None:
    rates: Sequence[object] = [0.01, 0.01, 0.02, 1]
    found = runs(**{"optimizer.lr": rates, "model.size": [64, 32, 64, 64]})
    for condition in conditions_in("optimizer.lr=1e-2,2e-2,model.size=64.0"):
        found = condition.kept(found)
    assert [run.seed for _, run in found] == [0, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("optimizer.lr<0.01", "--where optimizer.lr<0.01: it takes =, there is no <"),
        ("optimizer.lr>=1", "--where optimizer.lr>=1: it takes =, there is no >="),
        ("seed!=1", "--where seed!=1: it takes =, there is no !="),
        ("nope=1", "no column nope; there are data, source"),
        ("a.lr=3", "no run has a.lr=3; the runs have a.lr=0.5, null"),
        ("model=gru,seed=7", "no run has model=gru; the runs have model=lstm"),
    ],
)
def test_what_cannot_be_met_is_said_with_what_there_is(text: str, message: str) -> None:
    def kept() -> None:
        found = runs(**{"a.lr": [0.5, None]})
        for condition in conditions_in(text):
            found = condition.kept(found)

    with pytest.raises(RefusedError) as error:
        kept()
    assert str(error.value).startswith(message)


@given(st.text())
@settings(deadline=None, derandomize=True)
def test_any_text_is_conditions_or_one_line(text: str) -> None:
    try:
        conditions = conditions_in(text)
    except RefusedError as error:
        assert len(str(error).splitlines()) == 1
        return
    assert conditions
    for condition in conditions:
        assert not condition.is_met_by(object())


@given(
    st.lists(st.floats(allow_nan=False) | st.integers(-(10**9), 10**9), min_size=1, max_size=4),
    st.data(),
)
@settings(deadline=None, derandomize=True)
def test_a_number_is_met_however_it_is_typed(values: list[float], data: st.DataObject) -> None:
    (condition,) = conditions_in(f"seed={','.join(map(repr, values))}")
    assert condition.is_met_by(data.draw(st.sampled_from(values)))
