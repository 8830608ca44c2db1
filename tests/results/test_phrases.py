"""rnnlm/results/phrases.py"""

from __future__ import annotations

from rnnlm.results.phrases import capitalised, listed, span


def test_names_are_joined_by_commas_and_a_word() -> None:
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b"], "or") == "a or b"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_a_range_of_one_value_is_that_value() -> None:
    assert (span(2, 5), span(3, 3)) == ("2 to 5", "3")


def test_only_the_first_letter_becomes_a_capital() -> None:
    assert (capitalised("test GRU"), capitalised("")) == ("Test GRU", "")
