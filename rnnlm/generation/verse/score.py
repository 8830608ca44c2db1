"""Which rules of Tang verse a poem keeps: its form, rhymes, tones and acrostic.

Judged by modern Mandarin readings, with the limits that readings.py states: a poem by a
Tang poet may fall short here of rules that it kept in its own time.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from rnnlm.data.tang import HAN, MISSING, SHAPES, Form, poem_lines
from rnnlm.generation.verse.prosody import may_rhyme, wanted_tone
from rnnlm.generation.verse.readings import tone

# Neither are characters of a line; editors of our days set the marks of speech and of titles.
_NO_PART_OF_LINES = re.compile(r"[\s「」『』《》]")
# A couplet is a sentence, whose first line may ask or call out and does not end in a full stop.
_ENDS_ODD_LINE = "[，；：、？！]"
_ENDS_EVEN_LINE = "[。？！]"


@dataclass(frozen=True)
class Score:
    """Which rules a poem keeps."""

    form: str | None  # None for a poem without a form, or without the one that was asked
    rhymes: bool  # there are two even lines or more, and they rhyme
    rhyme_characters: str  # the ends of the even lines
    tones_kept: int  # the places of those asked that have their tone
    tones_asked: int  # the places for which the poem's characters before ask for a tone
    acrostic: bool | None  # None where none was asked

    def to_dict(self) -> dict[str, Any]:
        """The score as plain JSON values."""
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
    """Judge a poem by the rules; any text at all has a score.

    Args:
        poem: a text with its punctuation. White space, and the marks of speech and of titles,
            「」『』《》, are ignored.
        form: the form asked; None or `Form.any` to find which one the poem has. A poem has a form
            if its lines have the form's number of characters, all of them Chinese or □, and a line
            and its mark make up the whole text: a mark of pause, or ？ or ！, after odd lines, and
            one of 。？！ after even lines.
        acrostic: what the first characters of the lines shall spell, from the first line on.
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
    """Of every place for which a tone is asked, whether it has it."""
    return [
        tone(character) is wanted
        for number, line in enumerate(lines)
        for place, character in enumerate(line)
        if (wanted := wanted_tone([*lines[:number], line[:place]], len(line)))
    ]
