"""rnnlm/data/tokens/spelling.py"""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.data.tokens.spelling import CODE_POINTS, Spelling


def test_by_hand() -> None:
    # Unknown in training: "ab" twice, so a, b and the end 2 each, c and the escape 0; plus one.
    spelling = Spelling.learned(Counter({"ab": 2, "cc": 9}), known={"cc"})
    seen, never = math.log(11 / 3), math.log(11 / 1)
    assert spelling.nats("ab") == pytest.approx(3 * seen)
    assert spelling.nats("ac") == pytest.approx(2 * seen + never)
    assert spelling.nats("z") == pytest.approx(never + math.log(CODE_POINTS) + seen)


def test_a_character_needs_no_end() -> None:
    spelling = Spelling.learned(Counter({"a": 1, "b": 5}), known={"b"})
    # One a; a, b and the escape plus one each.
    assert spelling.nats("a") == pytest.approx(math.log(4 / 2))


@given(st.dictionaries(st.text("abcd", min_size=1, max_size=3), st.integers(1, 9), min_size=1))
def test_it_is_a_distribution_over_what_training_shows(counts: dict[str, int]) -> None:
    spelling = Spelling.learned(Counter(counts), known=set())
    characters = {character for token in counts for character in token}
    with_end = any(len(token) > 1 for token in counts)
    ends = math.exp(-spelling.nats("")) if with_end else 0.0
    single = [spelling.nats(c) - (spelling.nats("") if with_end else 0.0) for c in characters]
    assert sum(math.exp(-nats) for nats in single) + ends < 1
