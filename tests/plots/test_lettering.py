"""rnnlm/plots/lettering.py"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnlm.plots import lettering as module
from rnnlm.plots.lettering import (
    BASE_FAMILY,
    Lettering,
    characters,
    installed_families,
    lettering,
    printable,
)

CHINESE = "红楼梦"


@pytest.fixture
def no_other_font(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "installed_families", list)


def test_latin_takes_the_font_that_comes_with_matplotlib() -> None:
    assert lettering("lstm-embed ± 0.5 · –") == Lettering("lstm-embed ± 0.5 · –", (BASE_FAMILY,))


@pytest.mark.usefixtures("no_other_font")
def test_without_a_chinese_font_characters_are_written_by_their_number() -> None:
    assert lettering(f"{CHINESE}.txt").text == "U+7EA2 U+697C U+68A6.txt"


def test_with_a_chinese_font_they_are_drawn_in_it() -> None:
    if not any(set(CHINESE) <= characters(family) for family in installed_families()):
        pytest.skip("no Chinese font is installed")
    found = lettering(f"{CHINESE}.txt")
    assert found.text == f"{CHINESE}.txt"
    assert found.families[0] == BASE_FAMILY
    assert set(CHINESE) <= characters(found.families[1])


@pytest.mark.usefixtures("no_other_font")
def test_control_characters_and_halves_of_pairs_are_numbers_too() -> None:
    assert lettering("a\nb\t\x00\udc80").text == "aU+000AbU+0009 U+0000 U+DC80"
    assert printable(f"{CHINESE}\x00") == f"{CHINESE}U+0000"


def test_a_font_for_everything_that_shows_nothing_is_not_taken() -> None:
    assert not any("Last Resort" in family for family in installed_families())
    assert lettering("\ufdd0").text == "U+FDD0"


@pytest.mark.usefixtures("no_other_font")
@given(st.text(st.characters()))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_written_has_a_glyph(text: str) -> None:
    assert set(lettering(text).text) <= characters(BASE_FAMILY)
