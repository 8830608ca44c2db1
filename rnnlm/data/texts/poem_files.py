"""The poems of a file as they stand there: JSON of the collection chinese-poetry, or lines.

A line is a poem. It may begin with a title, or a title and an author: `title:content`,
`title:author:content`. A file has titles if most of its lines have a colon, and few of these have
verse before it.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

import msgspec

from rnnlm.data.texts.source import SourceError

# The mark of a missing character in files of poems; some have `?` for it. `tang.py` writes □.
MISSING_MARK = "_"
# The share of lines that must agree.
_MOST = 2 / 3
_COLON = re.compile("[:：]")
_VERSE_MARK = re.compile("[，。？！；,.?!;、]")
_BEFORE_A_MARK = re.compile(r"\?(?=[，。？！；])")
_AUTHOR = re.compile(r"[^:：，。？！；,?!;]{1,12}[:：]")


class NoPoemsError(SourceError):
    """A file holds nothing that looks like a poem."""


class Poems(NamedTuple):
    """The texts of a file's poems, and the numbers of titles and authors that were taken off."""

    texts: list[str]
    titles: int = 0
    authors: int = 0


class _Poem(msgspec.Struct):
    """A poem of chinese-poetry; only its text is needed."""

    paragraphs: list[str]


def read_poems(text: str, name: str) -> Poems:
    """Return the poems in the text of a file.

    Args:
        name: the file's; the name of JSON ends in `.json`.

    Raises:
        NoPoemsError: it is JSON of something else.
        OptionError: it is not whole JSON, or one of its poems is not like the others.
    """
    return _in_json(text, name) if name.lower().endswith(".json") else _in_lines(text)


def _in_json(text: str, name: str) -> Poems:
    try:
        entries = msgspec.json.decode(text, type=list[msgspec.Raw])
    except msgspec.ValidationError as error:
        raise NoPoemsError(f"{name} holds no list of poems") from error
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise SourceError(f"{name} is not whole JSON: {error}") from error
    texts: list[str] = []
    for number, entry in enumerate(entries, 1):
        try:
            texts.append("".join(msgspec.json.decode(entry, type=_Poem).paragraphs))
        except (msgspec.DecodeError, RecursionError, ValueError) as error:
            raise (SourceError if texts else NoPoemsError)(
                f"{name}: poem {number} has no list of texts called 'paragraphs' "
                f"({str(error).replace('$.', '')})"
            ) from error
    return Poems(texts)


def _in_lines(text: str) -> Poems:
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    texts, titles = _without_titles(lines)
    authors = 0
    if titles:
        found = [_AUTHOR.match(text) for text in texts]
        if sum(map(bool, found)) > _MOST * len(texts):
            authors = sum(map(bool, found))
            texts = [t[a.end() :] if a else t for t, a in zip(texts, found, strict=True)]
    if _question_marks_are_missing_characters(texts):
        texts = [text.replace("?", MISSING_MARK) for text in texts]
    return Poems(texts, titles, authors)


def _without_titles(lines: list[str]) -> tuple[list[str], int]:
    """Return the lines without what stands before their first colons, if that is titles."""
    # If most lines have a half-width colon, a full-width one may be part of a title.
    half_width = sum(":" in line for line in lines) > _MOST * len(lines)
    parts = [
        line.split(":", 1) if half_width and ":" in line else _COLON.split(line, maxsplit=1)
        for line in lines
    ]
    titled = [part for part in parts if len(part) == 2]
    verse = sum(map(_is_verse, (part[0] for part in titled)))
    if len(titled) <= _MOST * len(lines) or 2 * verse > len(titled):
        return lines, 0
    return [part[-1] for part in parts], len(titled)


def _is_verse(title: str) -> bool:
    """Return True if a title looks like verse: it ends a sentence or has several marks."""
    return "。" in title or "！" in title or len(_VERSE_MARK.findall(title)) > 2


def _question_marks_are_missing_characters(texts: list[str]) -> bool:
    """Return True if `?` stands for characters: more verses are then as long as their neighbours.

    Before another mark it must be a character; at the end of a poem it is more likely a mark.
    """
    as_character = as_mark = 0.0
    for text in texts:
        if "?" in text:
            as_character += _alike(text.replace("?", MISSING_MARK))
            as_character += len(_BEFORE_A_MARK.findall(text))
            as_mark += _alike(text) + text.endswith("?")
    return as_character > as_mark


def _alike(text: str) -> float:
    """Return the share of verses that are as long as the one before them."""
    lengths = [len(verse.strip()) for verse in _VERSE_MARK.split(text) if verse.strip()]
    return sum(one == other for one, other in pairwise(lengths)) / max(len(lengths) - 1, 1)
