"""rnnlm/data/addition.py"""

from __future__ import annotations

import re
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.data.addition import Addition, AdditionConfig
from rnnlm.data.batching import Batching
from rnnlm.data.preparation import prepare
from rnnlm.data.texts.splitting import SPLITS
from rnnlm.options import OptionError


def sums(**options: object) -> dict[str, list[str]]:
    """The sums of each split, as text."""
    defaults = {"name": "addition", "num_sums": 500, "batch_size": 8}
    corpus = prepare(Addition(AdditionConfig(**{**defaults, **options})))  # type: ignore[arg-type]
    return {
        name: re.findall(
            "<bos>(.*?)<eos>",
            "".join(corpus.vocabulary.decode(corpus.splits[name].ids_N.tolist())),
        )
        for name in SPLITS
    }


@pytest.mark.parametrize("reverse", [False, True])
def test_every_sum_is_right(reverse: bool) -> None:
    for written in chain(*sums(reverse=reverse).values()):
        a, b, answer = re.fullmatch(r"(\d+)\+(\d+)=(\d+)", written).groups()  # type: ignore[union-attr]
        assert int(a) + int(b) == int(answer[::-1] if reverse else answer)


def test_no_sum_that_is_measured_has_been_trained_on() -> None:
    split = sums()
    assert [len(split[name]) for name in SPLITS] == [400, 50, 50]
    operands = [frozenset(s.split("=")[0].split("+")) for name in SPLITS for s in split[name]]
    assert len(set(operands)) == 500


def test_operands_have_the_lengths_asked_for() -> None:
    tasks = [text.split("=")[0] for text in sums(min_digits=2, max_digits=4)["train"]]
    assert {len(number) for task in tasks for number in task.split("+")} == {2, 3, 4}


def test_sums_follow_from_the_seed() -> None:
    assert sums(seed=1) == sums(seed=1)
    assert sums(seed=1) != sums(seed=2)


def test_there_are_only_so_many_sums_of_one_digit() -> None:
    assert sum(map(len, sums(max_digits=1, num_sums=1000).values())) == 27


# Many nines: a carry goes through many digits.
operands = st.text("0123456789999", min_size=1, max_size=18).map(int)


def kinds(a: int, b: int, **options: object) -> dict[str, int]:
    corpus = Addition(AdditionConfig(name="addition", **options))  # type: ignore[arg-type]
    return corpus.task_properties(corpus.written(a, b))


@given(operands, operands, st.booleans())
def test_digits_and_carries_are_those_of_adding_by_hand(a: int, b: int, reverse: bool) -> None:
    places = carries = carried = 0
    left, right = a, b
    while left or right or not places:
        carried = left % 10 + right % 10 + carried > 9
        carries += carried
        places += 1
        left, right = left // 10, right // 10
    assert kinds(a, b, reverse=reverse) == {"digits": places, "carries": carries}


@given(operands, operands)
def test_a_task_is_of_the_same_kind_either_way_round(a: int, b: int) -> None:
    assert kinds(a, b) == kinds(b, a)


@pytest.mark.parametrize(
    ("a", "b", "digits", "carries"),
    [(0, 0, 1, 0), (4, 5, 1, 0), (5, 5, 1, 1), (10, 9, 2, 0), (999, 1, 3, 3), (905, 107, 3, 2)],
)
def test_what_is_carried_out_of_the_first_place_counts(
    a: int, b: int, digits: int, carries: int
) -> None:
    assert kinds(a, b) == {"digits": digits, "carries": carries}


@pytest.mark.parametrize("batching", list(Batching))
def test_texts_are_in_the_order_of_the_tasks(batching: Batching) -> None:
    config = AdditionConfig(name="addition", num_sums=500, batch_size=8, batching=batching)
    corpus = prepare(Addition(config))
    tokens = corpus.vocabulary.decode(corpus.splits["test"].ids_N.tolist())
    read = re.findall("<bos>(.*?)<eos>", "".join(tokens))
    assert read == corpus.texts()["test"]
    assert [len(text) + 1 for text in read] == corpus.tasks().lengths_N.tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_digits": 4, "max_digits": 3}, "data.min_digits: 4 is more than data.max_digits"),
        ({"source": "full"}, "data.source: data=addition is generated"),
    ],
)
def test_what_is_no_sum_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        sums(**options)
