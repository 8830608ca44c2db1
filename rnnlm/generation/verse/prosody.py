"""The rules for tones and rhymes of quatrains and regulated verse, at one place of a poem.

A poem is a list of lines, strings of Chinese characters without punctuation; two lines are a
couplet. This docstring counts from 1, as books on verse do; the code counts from 0. In lines
of five or seven characters there are rules for the tones (平仄, level and oblique) of the key
places: the 2nd, the 4th, in lines of seven the 6th, and the last:

- Within a line (二四六分明) the 4th is opposite to the 2nd, and the 6th to the 4th.
- Within a couplet (对, opposition) the 2nd of the second line is opposite to the 2nd of the first.
- Between couplets (粘, adhesion) the 2nd of a couplet's first line agrees with the 2nd of the line
  before.
- Even lines end level. Odd lines end oblique, except the first, whose end is free.

The 2nd of the first line is free too, and decides the pattern. The tone of a place follows from
the characters that the poem has, even if these break a rule; if the deciding character has no tone,
the place is free. The even lines rhyme: their last characters have the same rhyme class and the
same kind of tone, and none is used twice.

Finer rules are left out: those against a lone level tone (孤平) and against three of a kind at the
end of a line (三平调), and the licences to break a rule in one place and make up for it in another
(拗救). Tones and rhymes are those of modern Mandarin, with the limits that
`rnnlm.generation.verse.readings` states.
"""

from __future__ import annotations

from collections.abc import Sequence

from rnnlm.data.tang import SHAPES
from rnnlm.generation.verse.readings import Tone, rhyme, tone

_LENGTHS = {length for _, length in SHAPES.values()}


def wanted_tone(lines: Sequence[str], length: int) -> Tone | None:
    """Return the tone that the next character must have; None if it may have any.

    Args:
        lines: the complete lines and, last, the unfinished line, which may be empty.
        length: number of characters that the unfinished line will have; only lines of five and
            seven have rules.
    """
    *before, line = lines or [""]
    place = len(line)
    if length not in _LENGTHS or place >= length:
        return None
    closes_couplet = len(before) % 2 == 1
    if place == length - 1:
        if closes_couplet:
            return Tone.level
        return Tone.oblique if before else None
    if place == 1 and before:
        return _opposite(_tone_at(before[-1], 1)) if closes_couplet else _tone_at(before[-1], 1)
    if place in (3, 5):
        return _opposite(_tone_at(line, place - 2))
    return None


def may_rhyme(character: str, used: Sequence[str]) -> bool:
    """Tell whether a character may end an even line by its rhyme.

    Oblique rhymes of old verse count; only `wanted_tone` asks for level ends.

    Args:
        used: the last characters of the even lines before. The first of them sets the rhyme class
            and the kind of tone. If there are none, any character that has both may stand.
    """
    if rhyme(character) is None or tone(character) is None or character in used:
        return False
    return not used or (rhyme(character), tone(character)) == (rhyme(used[0]), tone(used[0]))


def _tone_at(line: str, place: int) -> Tone | None:
    return tone(line[place]) if place < len(line) else None


def _opposite(kind: Tone | None) -> Tone | None:
    return kind and kind.opposite
