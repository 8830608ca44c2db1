"""Text in glyphs: every character by a font that has it, or else as U+XXXX, never as a box."""

from __future__ import annotations

import unicodedata
from collections.abc import Set
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

from matplotlib.font_manager import FontProperties, findSystemFonts, fontManager, get_font

# Comes with matplotlib.
BASE_FAMILY = "DejaVu Sans"
# Of two fonts that both have what is missing, the earlier one here is taken.
PREFERRED = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "SimHei",
)
# These have a glyph for every character, which does not show it.
NOT_LETTERS = ("Last Resort", "Adobe Blank", "Adobe NotDef")


@dataclass(frozen=True)
class Lettering:
    """Text as it can be drawn, and the font families that have its characters."""

    text: str
    families: tuple[str, ...] = (BASE_FAMILY,)


def lettering(text: str) -> Lettering:
    """The text with what no font has written as U+XXXX; line breaks and the like too."""
    letters = {character for character in text if _is_letter(character)}
    families = [BASE_FAMILY]
    missing = letters - characters(BASE_FAMILY)
    while missing and (best := _best_family(missing)):
        families.append(best)
        missing -= characters(best)
    return Lettering(_escaped(text, letters - missing), tuple(families))


def printable(text: str) -> str:
    """The text with control characters and the like as U+XXXX, for where fonts are not known."""
    return _escaped(text, set(filter(_is_letter, text)))


def _best_family(missing: Set[str]) -> str | None:
    """The first family that has all of these characters, or else most of them, if any."""
    families = installed_families()
    for family in families:
        if missing <= characters(family):
            return family
    best = max(families, key=lambda family: len(missing & characters(family)), default=None)
    return best if best and missing & characters(best) else None


@cache
def installed_families() -> list[str]:
    """The families that may stand in for `BASE_FAMILY`, preferred ones first."""
    # Matplotlib keeps a list of fonts, and does not look for those installed since it was made.
    known = {Path(entry.fname) for entry in fontManager.ttflist}
    for path in sorted(findSystemFonts()):
        if Path(path) not in known:
            try:
                fontManager.addfont(path)
            except (OSError, RuntimeError, ValueError):
                continue  # No font that can be drawn with.
    rank = {family: index for index, family in enumerate(PREFERRED)}
    families = {entry.name for entry in fontManager.ttflist} - {BASE_FAMILY}
    return sorted(
        (family for family in families if not family.startswith(NOT_LETTERS)),
        key=lambda family: (rank.get(family, len(rank)), family),
    )


@cache
def characters(family: str) -> frozenset[str]:
    """What the font has glyphs for that is taken where this family is asked for."""
    try:
        path = fontManager.findfont(FontProperties(family=[family]), fallback_to_default=False)
        font = get_font(path)
    except (OSError, RuntimeError, ValueError):
        return frozenset()
    # Bitmaps cannot be drawn in any size.
    return frozenset(map(chr, font.get_charmap())) if font.scalable else frozenset()


def _is_letter(character: str) -> bool:
    """Whether a glyph is all it takes: no control character, half of a pair, or unassigned."""
    return character.isprintable() or unicodedata.category(character) == "Zs"


def _escaped(text: str, letters: Set[str]) -> str:
    """The text with all but these letters as U+XXXX, a space between two of them."""
    return "".join(
        "".join(part) if drawn else " ".join(f"U+{ord(character):04X}" for character in part)
        for drawn, part in groupby(text, letters.__contains__)
    )
