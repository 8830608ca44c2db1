"""The score of a poem: the rules of Tang verse that it keeps for form, rhymes, tones and acrostic.

Tones and rhymes are those of modern Mandarin, with the limits that readings.py states: a poem of
the Tang may break rules here that it kept in its own time.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from rnnlm.data.tang import HAN, MISSING, SHAPES, Form, poem_lines
from rnnlm.generation.verse.prosody import may_rhyme, wanted_tone
from rnnlm.generation.verse.readings import tone

# White space, and the marks of speech and of titles that modern editors add.
_NO_PART_OF_LINES = re.compile(r"[\s「」『』《》]")
# A couplet is one sentence, so its first line does not end with a full stop.
_ENDS_ODD_LINE = "[，；：、？！]"
_ENDS_EVEN_LINE = "[。？！]"


@dataclass(frozen=True)
class Score:
    """The rules that a poem keeps."""

    form: str | None  # None for a poem without a form, or without the one that was asked for
    rhymes: bool  # True if there are at least two even lines, and they rhyme
    rhyme_characters: str  # the last characters of the even lines
    tones_kept: int  # the number of places that have the tone that the rules ask for
    tones_asked: int  # the number of places for which the rules ask for a tone
    acrostic: bool | None  # None if none was asked for

    def to_dict(self) -> dict[str, Any]:
        """Return the score as plain JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        rhymes = "rhymes" if self.rhymes else "does not rhyme"
        if self.rhyme_characters:
            rhymes += f" ({' '.join(self.rhyme_characters)})"
        parts = [self.form or "not in form", rhymes]
        parts.append(f"tones {self.tones_kept} of {self.tones_asked}")
        if self.acrostic is not None:
            parts.append("acrostic kept" if self.acrostic else "acrostic not kept")
        return " · ".join(parts)


def score(poem: str, form: Form | None = None, acrostic: str = "") -> Score:
    """Score a poem by the rules; any text has a score.

    A poem has a form if it consists of the form's lines, each with the form's number of Chinese
    characters (or □) and a mark: one of ，；：、？！ after odd lines, 。？！ after even lines.

    Args:
        poem: the text with its punctuation. White space and the marks 「」『』《》 are ignored.
        form: the form asked for; None or `Form.any` to find the poem's own form.
        acrostic: the characters with which the lines should begin, from the first line on.
    """
    text = _NO_PART_OF_LINES.sub("", poem)
    lines = poem_lines(text)
    forms = SHAPES if form in (None, Form.any) else [form]
    ends = [line[-1] for line in lines[1::2]]
    tones = _tones_kept(lines)
    return Score(
        form=next((form.name for form in forms if form and _has_form(text, form)), None),
        rhymes=len(ends) > 1
        and all(may_rhyme(end, ends[:number]) for number, end in enumerate(ends)),
        rhyme_characters="".join(ends),
        tones_kept=sum(tones),
        tones_asked=len(tones),
        acrostic="".join(line[0] for line in lines).startswith(acrostic) if acrostic else None,
    )


def _has_form(text: str, form: Form) -> bool:
    lines, length = SHAPES[form]
    line = f"[{HAN}{MISSING}]{{{length}}}"
    couplet = f"{line}{_ENDS_ODD_LINE}{line}{_ENDS_EVEN_LINE}"
    return re.fullmatch(f"(?:{couplet}){{{lines // 2}}}", text) is not None


def _tones_kept(lines: list[str]) -> list[bool]:
    """Tell of every place for which the rules ask for a tone whether it has that tone."""
    return [
        tone(character) is wanted
        for number, line in enumerate(lines)
        for place, character in enumerate(line)
        if (wanted := wanted_tone([*lines[:number], line[:place]], len(line)))
    ]
