"""What prosody needs of a Chinese character's sound: the kind of its tone and its rhyme class.

Both follow from one reading, in modern Mandarin, by the dictionary of pypinyin: of a character with
several readings the first one that has a tone counts. Verse knows no neutral tone, so that 子 is
`zǐ` here, though the dictionary gives the suffix `zi` first. The meaning is not considered: 還 is
always `hái`, also where a poem means `huán`, to return.

The poets of the Tang spoke Middle Chinese. Its entering tone (入声: syllables ending in -p, -t or
-k) was oblique; Mandarin has no such tone, and those of its characters that are level today, as 白
and 竹, count as level. Characters that rhymed then do not always rhyme now, as 回 (`huí`) and 來
(`lái`). A poem that kept every rule of its time may therefore break some of them here.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import cache


class Tone(Enum):
    """The two kinds of tone in verse (平仄): Mandarin's first two tones, and its other two."""

    level = "level"  # 平
    oblique = "oblique"  # 仄

    @property
    def opposite(self) -> Tone:
        """The other kind."""
        return Tone.oblique if self is Tone.level else Tone.level


_TONES = {"1": Tone.level, "2": Tone.level, "3": Tone.oblique, "4": Tone.oblique}
# The classes of 中华新韵 (2005) but 支, and the finals of each as pypinyin spells them: v is ü.
_FINALS = {
    "麻": "a ia ua",
    "波": "o io e uo",
    "皆": "ie ve ê",
    "开": "ai iai uai",
    "微": "ei uei",
    "豪": "ao iao",
    "尤": "ou iou",
    "寒": "an ian uan van",
    "文": "en in uen vn",
    "唐": "ang iang uang",
    "庚": "eng ing ueng ong iong",
    "齐": "i v er",
    "姑": "u",
}
_CLASSES = {final: name for name, finals in _FINALS.items() for final in finals.split()}
# The final of these is written i and sounds otherwise: class 支.
_NO_VOWEL = re.compile("(?:zh|ch|sh|[rzcs])i[1-4]?")


@cache
def tone(character: str) -> Tone | None:
    """The kind of a character's tone; None without a reading, or with the neutral tone alone."""
    return _TONES.get(_reading(character)[-1:])


@cache
def rhyme(character: str) -> str | None:
    """A character's rhyme class, one of the 14 of 中华新韵 by its name; None without a reading.

    Nor is there a class for the few readings without a vowel, as `ń` of 嗯.
    """
    from pypinyin.contrib.tone_convert import to_finals  # as in `_reading`

    reading = _reading(character)
    if _NO_VOWEL.fullmatch(reading):
        return "支"
    # Strict finals are the sounds. The others are letters, which hide some: with y as a consonant,
    # 也 (ye) would end in e as 歌 does, and 玉 (yu) in u as 路 does.
    return _CLASSES.get(to_finals(reading, strict=True))


@cache
def _reading(character: str) -> str:
    """The reading that counts, its tone a digit at the end, as `lou2`; empty without one."""
    # Imported here, since it reads its dictionary then, which commands without verse need not wait
    # for.
    from pypinyin import Style, pinyin

    # Whole syllables, of which the final is taken later: 支 and 齐 differ in the initial alone.
    found = pinyin(character, style=Style.TONE3, heteronym=True, errors="ignore")
    if len(character) != 1 or not found:
        return ""
    return next((syllable for syllable in found[0] if syllable[-1:] in _TONES), found[0][0])
