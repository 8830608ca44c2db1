"""rnnlm/data/texts/recognition.py: Chinese is read, and nothing else is ever taken for it."""

from __future__ import annotations

import json
import random

import opencc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.data.texts.recognition import codecs_with_escapes, recognised
from tests.conftest import ROOT

SAMPLES = ROOT / "rnnlm" / "data" / "samples"
PROSE = "".join(p.read_text(encoding="utf-8") for p in sorted((SAMPLES / "jinyong").iterdir()))
POEMS = "\n".join(
    "".join(poem["paragraphs"])
    for poem in json.loads((SAMPLES / "tang.json").read_text(encoding="utf-8"))
)
NAMES = "闻人鹊\n骆孤桐\n谢絮\n张喆\n欧阳堃\n司马翀\n李白\n王昌龄\n陈子昂\n孟浩然\n白居易\n贺知章\n"
CODE = "for line in lines:  # 逐行读取文件\n    total += len(line)  # 累加每行的长度\n" * 4
TRADITIONAL = opencc.OpenCC("s2t").convert

CHINESE = [
    *((text, "gb18030") for text in (PROSE, TRADITIONAL(PROSE), POEMS, NAMES * 3, CODE)),
    *((text, "big5hkscs") for text in (TRADITIONAL(PROSE), POEMS, TRADITIONAL(CODE))),
]

# Written for this test.
FOREIGN = {
    "ja": "駅前の小さな本屋は、雨の日になると客が増える。店主は奥の机で古い地図を広げ、"
    "コーヒーを飲みながら、知らない町の名前をひとつずつ読んでいく。きょうは誰も来なかった。",
    "ko": "작은 마을의 도서관은 비가 오는 날이면 조용해진다. 할머니는 창가에 앉아 오래된 편지를 "
    "읽었고, 아이들은 그림책을 펼쳐 놓고 웃었다. 저녁이 되자 불이 하나씩 꺼졌다.",
    "ru": "Старый мельник жил у реки и каждое утро слушал, как шумит вода. Однажды к нему пришёл "
    "незнакомец и попросил смолоть мешок пшеницы. Мельник долго смотрел на него и молчал.",
    "de": "Über den Dächern hörte man die Möwen. Der Müller öffnete die Tür, grüßte höflich und "
    "fragte, ob das Mädchen schon zurück sei. Früher wäre er nie so spät gekommen.",
    "fr": "L’été dernier, le père Hébert a traversé la forêt près du château. Où était-il passé ? "
    "Personne ne l’a su : « Ça ne m’étonne guère », répéta la vieille, très déçue.",
    "es": "El niño preguntó: ¿dónde está el señor que vendía muñecas? Mañana volverá, respondió la "
    "mujer con una sonrisa pequeña; después cerró el balcón y se marchó.",
    "en": "I can’t say it isn’t so — he didn’t “mean” it, they’d said; but the doctor’s café was "
    "shut, and we’re sure that’s why nobody’s come. It’s a naïve idea, isn’t it?",
}
ENCODINGS = {
    "ja": ["shift_jis", "euc_jp"],
    "ko": ["euc_kr"],
    "ru": ["cp1251", "koi8_r", "iso8859_5", "cp866"],
    "de": ["cp1252", "mac_roman", "cp850"],
    "fr": ["cp1252", "mac_roman"],
    "es": ["cp1252", "mac_roman"],
    "en": ["cp1252", "mac_roman"],
}


def snippets(text: str, encoding: str, length: int, count: int = 40) -> list[str]:
    """Parts of a text that an encoding can write, and that are no ASCII."""
    chooser = random.Random(f"{encoding} {length}")
    written = text.encode(encoding, "ignore").decode(encoding)
    starts = [chooser.randrange(max(1, len(written) - length)) for _ in range(count)]
    return [s for start in starts if not (s := written[start : start + length]).isascii()]


@pytest.mark.parametrize(("length", "least"), [(12, 0.6), (24, 0.85), (200, 1.0), (5000, 1.0)])
@pytest.mark.parametrize(("text", "encoding"), CHINESE)
def test_chinese_is_read_rightly_or_not_at_all(
    text: str, encoding: str, length: int, least: float
) -> None:
    found = snippets(text, encoding, length, 40 if length < 1000 else 3)
    right = 0
    for snippet in found:
        codec, others = recognised(snippet.encode(encoding))
        assert codec is None or snippet.encode(encoding).decode(codec) == snippet
        assert codec is not None or others
        right += codec is not None
    assert right >= least * len(found)


@pytest.mark.parametrize(
    ("language", "encoding"), [(name, e) for name in FOREIGN for e in ENCODINGS[name]]
)
def test_nothing_else_is_taken_for_chinese(language: str, encoding: str) -> None:
    text = FOREIGN[language]
    for length in (2, 3, 4, 6, 9, 14, 30, 90):
        for snippet in snippets(text, encoding, length):
            assert recognised(snippet.encode(encoding, "ignore"))[0] is None, snippet
    # The first encoding that is named gives the whole text.
    content = text.encode(encoding, "ignore")
    assert content.decode(recognised(content)[1][0]) == content.decode(encoding)


def test_a_single_accent_in_a_long_english_text_is_no_chinese() -> None:
    text = (SAMPLES / "time_machine.txt").read_text(encoding="utf-8")
    ascii_only = text.encode("ascii", "ignore").decode()
    for accented in ("the café was", "it isn’t so", "Zoë asked", "naïve", "for £20"):
        content = (ascii_only + accented + ascii_only * 6).encode("cp1252")
        codec, others = recognised(content)
        assert codec is None
        assert "cp1252" in others[:3]


@pytest.mark.parametrize("encoding", ["gb18030", "big5"])
def test_a_large_file_is_told_by_some_of_its_lines(encoding: str) -> None:
    text = TRADITIONAL(PROSE).encode(encoding, "ignore").decode(encoding)
    content = (("plain ASCII\n" * 100 + text) * 8).encode(encoding)
    assert recognised(content)[0] == encoding


@pytest.mark.parametrize("codec", ["hz", "iso2022_jp", "iso2022_kr"])
def test_escapes_in_ascii_are_found(codec: str) -> None:
    text = {"hz": "春天来了，花开了。\n", "iso2022_jp": FOREIGN["ja"], "iso2022_kr": FOREIGN["ko"]}
    content = text[codec].encode(codec)
    assert content.isascii()
    (found, *_) = codecs_with_escapes(content)
    assert content.decode(found) == text[codec]


@pytest.mark.parametrize("text", ["~{ab~}", "a ~{ b", "\x1b[31mred\x1b[0m", "cost: $(B)"])
def test_ascii_is_not_full_of_escapes(text: str) -> None:
    assert codecs_with_escapes(text.encode()) == []


@given(st.binary())
def test_any_bytes_are_recognised_or_not(content: bytes) -> None:
    codec, others = recognised(content)
    for name in [codec] if codec else others:
        assert "\0" not in content.decode(name)
