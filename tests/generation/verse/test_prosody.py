"""rnnlm/generation/verse/prosody.py."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.data.tang import SHAPES
from rnnlm.generation.verse.prosody import may_rhyme, wanted_tone
from rnnlm.generation.verse.readings import Tone, rhyme, tone

LEVEL, OBLIQUE = "山", "水"


def asked(lines: list[str]) -> list[str]:
    """Return the tone asked for at each place of each line: 平, 仄, or 。 for any tone."""
    signs = {Tone.level: "平", Tone.oblique: "仄", None: "。"}
    return [
        "".join(
            signs[wanted_tone([*lines[:number], line[:place]], len(line))]
            for place in range(len(line))
        )
        for number, line in enumerate(lines)
    ]


def test_the_tones_of_a_quatrain_that_starts_oblique() -> None:
    lines = ["白日依山盡", "黃河入海流", "欲窮千里目", "更上一層樓"]
    assert asked(lines) == ["。。。平。", "。平。仄平", "。平。仄仄", "。仄。平平"]


def test_the_tones_of_regulated_verse_that_starts_level() -> None:
    lines = ["昨夜星辰昨夜風", "畫樓西畔桂堂東", "身無彩鳳雙飛翼", "心有靈犀一點通"]
    lines += ["隔座送鉤春酒暖", "分曹射覆蠟燈紅", "嗟余聽鼓應官去", "走馬蘭臺類轉蓬"]
    assert asked(lines) == [
        "。。。平。仄。",
        "。平。仄。平平",  # opposition
        "。平。仄。平仄",  # adhesion
        "。仄。平。仄平",
        "。仄。平。仄仄",
        "。平。仄。平平",
        "。平。仄。平仄",
        "。仄。平。仄平",
    ]


@pytest.mark.parametrize(
    ("lines", "length", "expected"),
    [
        ([], 5, None),
        ([""], 5, None),
        (["山"], 5, None),
        (["山山山"], 5, Tone.oblique),
        (["山水山"], 5, Tone.level),
        # The tone that the line has decides, not the tone that was asked for.
        (["山山山山山"], 7, Tone.oblique),
        (["山山山水山"], 7, Tone.level),
        (["山山山水"], 5, None),
        (["山山山水山"], 5, None),  # the line is full
        (["山山山水山水"], 7, None),
        (["山山山水山", "山"], 5, Tone.oblique),
        (["山山山水山", "山水山山"], 5, Tone.level),
        (["山山山水山", "山水山山山", "山"], 5, Tone.oblique),
        (["山山山水山", "山水山山山", "山水山山"], 5, Tone.oblique),
        (["山山山水山", "山水山山山", "山水山山水", "山"], 5, Tone.level),
    ],
)
def test_the_tone_at_one_place(lines: list[str], length: int, expected: Tone | None) -> None:
    assert wanted_tone(lines, length) is expected


@pytest.mark.parametrize(
    ("lines", "length"),
    [
        (["山□山"], 5),
        (["山山山□山"], 7),
        (["山□山水山", "山"], 5),
        (["山山山水山", "山□山水山", "山"], 5),
        (["山", "山"], 5),
    ],
)
def test_a_place_is_free_where_no_tone_decides(lines: list[str], length: int) -> None:
    assert wanted_tone(lines, length) is None


def test_a_missing_character_frees_no_other_place() -> None:
    assert asked(["山□山山水", "山水山山山"]) == ["。。。。。", "。。。平平"]
    assert asked(["山山山山水", "山□山山山"]) == ["。。。仄。", "。仄。。平"]


@given(st.lists(st.text(LEVEL + OBLIQUE + "□a", max_size=9)), st.integers(-1, 12))
@settings(deadline=None)
def test_only_key_places_of_lines_of_five_and_seven_are_ruled(
    lines: list[str], length: int
) -> None:
    key_places = {5: {1, 3, 4}, 7: {1, 3, 5, 6}}.get(length, set())
    if wanted_tone(lines, length):
        assert len(lines[-1]) in key_places


@given(st.sampled_from(list(SHAPES.values())), st.data())
@settings(deadline=None)
def test_a_poem_of_opposite_tones_is_asked_for_the_opposite(
    shape: tuple[int, int], data: st.DataObject
) -> None:
    """But at the ends of lines, where the tone is the line's alone."""
    number, length = shape
    line = st.text(LEVEL + OBLIQUE, min_size=length, max_size=length)
    lines = data.draw(st.lists(line, min_size=number, max_size=number))
    turned = [line.translate(str.maketrans(LEVEL + OBLIQUE, OBLIQUE + LEVEL)) for line in lines]
    for one, other in zip(asked(lines), asked(turned), strict=True):
        assert one[:-1].translate(str.maketrans("平仄", "仄平")) == other[:-1]
        assert one[-1] == other[-1]


@pytest.mark.parametrize(
    ("character", "used", "expected"),
    [
        ("樓", "", True),
        ("盡", "", True),
        ("□", "", False),
        ("伬", "", False),  # a class, and the neutral tone alone
        ("嗯", "", False),  # a tone, and no class
        ("樓", "流", True),
        ("秋", "流樓", True),
        ("流", "流樓", False),
        ("樓", "流樓", False),
        ("酒", "流", False),  # the class, and the other tone
        ("山", "流", False),
        ("鳥", "少", True),  # oblique rhymes
        ("風", "東", True),
        ("知", "西", False),
        ("魚", "西", True),
        ("樓", "□", False),
        ("□", "流", False),
    ],
)
def test_what_may_end_an_even_line(character: str, used: str, expected: bool) -> None:
    assert may_rhyme(character, list(used)) is expected


@given(st.text("流樓秋酒柳山水子□a", max_size=8))
@settings(deadline=None)
def test_what_rhymes_has_the_class_and_tone_of_the_first(characters: str) -> None:
    used: list[str] = []
    for character in characters:
        if may_rhyme(character, used):
            used.append(character)
    assert len(set(used)) == len(used)
    assert len({(rhyme(character), tone(character)) for character in used}) <= 1
