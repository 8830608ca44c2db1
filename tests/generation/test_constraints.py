"""rnnlm/generation/constraints.py"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rnnlm.data.tokens.vocabulary import Vocabulary
from rnnlm.generation.constraints import FreeText

WORDS = Vocabulary(["<unk>", "<bos>", "<eos>", "a", "b", "ab", "ba", "bab", " ", "\n"])
LETTERS = Vocabulary(["<unk>", "a", "b"])
ids_of_words = st.lists(st.integers(3, len(WORDS) - 1), min_size=1, max_size=8)
stops = st.lists(st.text("ab \n", min_size=1, max_size=4), max_size=3)


def test_what_is_no_text_is_forbidden() -> None:
    assert FreeText(WORDS).forbidden([[]]).nonzero().flatten().tolist() == [0, 1]
    assert FreeText(LETTERS).forbidden([[1]]).nonzero().flatten().tolist() == [0]


def test_a_text_ends_at_eos_which_is_no_part_of_it() -> None:
    constraint = FreeText(WORDS)
    assert constraint.is_complete([3, 2])
    assert constraint.added([3, 2]) == ""
    assert not constraint.is_complete([3, 4])


def test_where_there_is_no_eos_its_place_is_a_token_like_others() -> None:
    constraint = FreeText(LETTERS)
    assert not constraint.is_complete([1, 2])
    assert constraint.added([1, 2]) == "b"


@given(ids_of_words, stops)
def test_a_text_ends_with_the_first_text_to_stop_after(ids: list[int], stop: list[str]) -> None:
    constraint = FreeText(WORDS, stop)
    text, whole = "", ""
    for length in range(1, len(ids) + 1):
        text += constraint.added(ids[:length])
        whole += WORDS.tokens[ids[length - 1]]
        ends = [whole.find(each) + len(each) for each in stop if each in whole]
        assert constraint.is_complete(ids[:length]) == bool(ends)
        assert text == whole[: min(ends, default=None)]
        if ends:
            break
