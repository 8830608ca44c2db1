"""The sound of a Chinese character in verse: the kind of its tone, and its rhyme class.

Both follow from one reading in modern Mandarin, by the dictionary of pypinyin. If a character has
several readings, the first one with a tone counts. Verse has no neutral tone, so 子 is `zǐ` here,
though the dictionary gives the suffix `zi` first. The meaning does not count: 還 is always `hái`,
even if a poem means `huán`, to return.

The poets of the Tang spoke Middle Chinese. Its entering tone (入声: syllables ending in -p, -t or
-k) was oblique. Mandarin has no such tone: characters that are level today, like 白 and 竹, count
as level. Characters that rhymed then do not always rhyme now, like 回 (`huí`) and 來 (`lái`). So a
poem that kept every rule of its time may break some of them here.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import cache


class Tone(Enum):
    """The two kinds of tone in verse (平仄): Mandarin's first two tones, and the other two."""

    level = "level"  # 平
    oblique = "oblique"  # 仄

    @property
    def opposite(self) -> Tone:
        """The other kind."""
        return Tone.oblique if self is Tone.level else Tone.level


_TONES = {"1": Tone.level, "2": Tone.level, "3": Tone.oblique, "4": Tone.oblique}
# The rhyme classes of 中华新韵 (2005) except 支, with their finals in pypinyin's spelling: v is ü.
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
# The final of these is written i, but has another sound: class 支.
_NO_VOWEL = re.compile("(?:zh|ch|sh|[rzcs])i[1-4]?")


@cache
def tone(character: str) -> Tone | None:
    """Return the kind of a character's tone; None if it has no reading with a tone."""
    return _TONES.get(_reading(character)[-1:])


@cache
def rhyme(character: str) -> str | None:
    """Return a character's rhyme class, one of the 14 of 中华新韵; None if it has no reading.

    The few readings without a vowel, like `ń` for 嗯, have no class either.
    """
    from pypinyin.contrib.tone_convert import to_finals  # as in `_reading`

    reading = _reading(character)
    if _NO_VOWEL.fullmatch(reading):
        return "支"
    # Strict finals follow the sound. Others follow the letters: with y as a consonant, 也 (ye)
    # would end in e like 歌, and 玉 (yu) in u like 路.
    return _CLASSES.get(to_finals(reading, strict=True))


@cache
def _reading(character: str) -> str:
    """Return the reading that counts, with its tone as the last digit, such as `lou2`, or ``."""
    # Importing pypinyin reads its dictionary, which commands without verse need not wait for.
    from pypinyin import Style, pinyin

    # Whole syllables, because classes 支 and 齐 differ only in the initial.
    found = pinyin(character, style=Style.TONE3, heteronym=True, errors="ignore")
    if len(character) != 1 or not found:
        return ""
    return next((syllable for syllable in found[0] if syllable[-1:] in _TONES), found[0][0])
