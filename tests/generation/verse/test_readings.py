"""rnnlm/generation/verse/readings.py."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypinyin import Style, pinyin
from pypinyin.contrib.tone_convert import to_finals
from pypinyin.pinyin_dict import pinyin_dict

from rnnlm.generation.verse.readings import Tone, rhyme, tone
from tests.conftest import ROOT

CLASSES = "麻波皆开微豪尤寒文唐庚齐支姑"


@pytest.mark.parametrize(
    ("name", "characters"),
    [
        ("麻", "麻家花茶馬话"),
        ("波", "波我歌多破说說"),
        ("皆", "皆也街月雪略虐決决"),
        ("开", "開开來来外懷怀"),
        ("微", "微歸归為为水飛飞"),
        ("豪", "豪橋桥鳥鸟曉笑"),
        ("尤", "尤流樓楼秋酒"),
        ("寒", "寒年煙烟間间元遠捲"),
        ("文", "文人春論论雲云君林"),
        ("唐", "唐陽阳光霜窗"),
        ("庚", "庚風风東东窮穷翁兄英"),
        ("齐", "齊齐西一衣女雨居曲徐綠绿兒儿二"),
        ("支", "支知池詩诗日子辭辞思"),
        ("姑", "姑路無无五竹"),
    ],
)
def test_the_class_of_a_character(name: str, characters: str) -> None:
    assert {character: rhyme(character) for character in characters} == dict.fromkeys(
        characters, name
    )


@pytest.mark.parametrize(
    ("kind", "characters"),
    [
        (Tone.level, "山流樓楼風风來来無无"),
        (Tone.oblique, "水日月盡尽雨綠绿上"),
        # Entering tones: oblique once, level in Mandarin.
        (Tone.level, "白竹一石別"),
    ],
)
def test_the_tone_of_a_character(kind: Tone, characters: str) -> None:
    assert {character: tone(character) for character in characters} == dict.fromkeys(
        characters, kind
    )


def test_of_several_readings_the_first_that_has_a_tone_counts() -> None:
    assert [pinyin(character, style=Style.TONE3)[0][0] for character in "子了還"] == [
        "zi",
        "le",
        "hai2",
    ]
    assert [(rhyme(character), tone(character)) for character in "子了還"] == [
        ("支", Tone.oblique),  # zǐ
        ("豪", Tone.oblique),  # liǎo
        ("开", Tone.level),  # hái
    ]


def test_a_neutral_tone_alone_is_no_tone() -> None:
    assert (tone("伬"), rhyme("伬")) == (None, "波")


def test_a_reading_without_a_vowel_has_no_class() -> None:
    assert rhyme("嗯") is None


def test_rare_characters_outside_the_first_plane() -> None:
    assert (tone("𧽼"), rhyme("𧽼")) == (Tone.level, "寒")  # tán


@pytest.mark.parametrize("text", ["", "a", "，", "□", "ü", "1", "\n", "\ud800", "<unk>", "白日"])
def test_what_is_not_one_character_has_no_reading(text: str) -> None:
    assert (tone(text), rhyme(text)) == (None, None)


@given(st.characters(exclude_categories=()))
@settings(deadline=None)
def test_any_character_has_a_class_of_the_fourteen_or_none(character: str) -> None:
    assert rhyme(character) is None or rhyme(character) in set(CLASSES)
    assert tone(character) in {None, *Tone}


def test_every_reading_of_the_dictionary_that_has_a_final_has_a_class() -> None:
    for character in map(chr, pinyin_dict):
        first = pinyin(character, style=Style.TONE3)[0][0]
        assert rhyme(character) is not None or not to_finals(first, strict=True), character


def test_all_classes_and_both_tones_are_found() -> None:
    assert {rhyme(character) for character in map(chr, pinyin_dict)} == {None, *CLASSES}
    assert Tone.level.opposite is Tone.oblique
    assert Tone.oblique.opposite is Tone.level


def test_pypinyin_is_imported_when_a_reading_is_asked() -> None:
    code = (
        "import sys; from rnnlm.generation.verse.readings import tone; "
        "assert 'pypinyin' not in sys.modules; "
        "tone('山'); assert 'pypinyin' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
