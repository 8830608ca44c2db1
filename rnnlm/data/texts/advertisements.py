"""Advertisements of download sites in novels: they are taken out, and the story around them stays.

Only lines with a sign are looked at: a web address, or a phrase that no story has. In such a line a
tag in brackets goes, or a sentence that is made of the words of such sites. A story may hold an
address.
"""

from __future__ import annotations

import re
from importlib.resources import files

# Only for matching: it keeps the number of characters, and the marks that end sentences.
_HALF_WIDTH = {
    ord(character): ord(character) - 0xFEE0
    for character in map(chr, range(0xFF01, 0xFF5F))
    if character not in "！？，；："
} | {0x3000: 0x20, ord("："): ord(":")}

# An address begins where no other could, so that a long run of letters is looked at once.
_ADDRESS = (
    r"(?:https?|ftp)://[!-~]{1,200}"
    r"|(?<![a-z0-9.-])(?:www|wap|bbs)\.[a-z0-9-]{1,60}(?:[./][!-~]{0,100})?"
    r"|(?<![a-z0-9.-])(?:[a-z0-9-]{1,60}\.){1,4}"
    r"(?:com|net|org|cn|cc|xyz|info|biz|me|tv|la|vip|top|site|club|tw|hk)(?![a-z0-9])"
    r"(?:/[!-~]{0,100})?"
)
_PHRASE = (
    r"txt.{0,6}下[载載]|免[费費](?:电子书|電子書)|小[说說]下[载載]"
    r"|本(?:电子书|電子書)|(?:电子书|電子書)下[载載]"
    r"|本章未完|[请請]翻[页頁]|[请請][记記]住本站|本站首[发發]|下[载載]后24小[时時]"
)
_SIGN = re.compile(f"{_ADDRESS}|{_PHRASE}", re.IGNORECASE)

# Tags in brackets, with a limit on their length.
_TAG = re.compile(
    r"〖[^〖〗\n]{1,200}〗|【[^【】\n]{1,200}】|※[^※\n]{1,200}※|☆[^☆\n]{1,200}☆|★[^★\n]{1,200}★"
)
_ASIDE = re.compile(
    r"\([^()\n]{1,200}\)|\[[^\[\]\n]{1,200}\]|〔[^〔〕\n]{1,200}〕|<[^<>\n]{1,200}>"
)
# A half-width mark may be part of an address.
_SENTENCE = re.compile(r"(?:[^。！？!?…\n]|[!?](?=[!-~]))+[。！？!?…”」』]*|[。！？!?…”」』]+")
_LONGEST_SENTENCE = 200

# The words of such sites, besides their names; the first that fits wins.
_WORDS = re.compile(
    "|".join(
        [_ADDRESS, *(files(__package__) / "advertisement_words.txt").read_text("utf-8").split()]
    ),
    re.IGNORECASE,
)
_HAN = re.compile("[\u3400-\u9fff]")
_PAUSE = re.compile("[，。！？；“”「」]")


def remove_advertisements(text: str) -> tuple[str, int]:
    """Return the text without advertisements, and their number.

    A line of which nothing else is left goes too, and so do line ends before and after the text.
    """
    kept, count = [], 0
    # Only lines with a sign are looked at; most texts have few or none.
    matched = text.translate(_HALF_WIDTH)
    start = 0
    for found in _SIGN.finditer(matched):
        if found.start() < start:
            continue
        line = matched.rfind("\n", 0, found.start()) + 1
        end = matched.find("\n", found.start())
        end = len(matched) if end < 0 else end + 1
        kept.append(text[start:line])
        cleaned, removed = _cleaned(text[line:end])
        kept.append(cleaned)
        count += removed
        start = end
    kept.append(text[start:])
    return "".join(kept).strip("\n") + "\n", count


def _cleaned(line: str) -> tuple[str, int]:
    """Return a line without advertisements, empty if it held nothing else, and their number."""
    count = 0
    for unit, is_tag in ((_TAG, True), (_ASIDE, False), (_SENTENCE, False)):
        matched = line.translate(_HALF_WIDTH)
        kept, start = [], 0
        for found in unit.finditer(matched):
            if _is_advertisement(found[0], is_tag):
                kept.append(line[start : found.start()])
                start, count = found.end(), count + 1
        line = "".join([*kept, line[start:]])
    return (line, count) if not count or line.strip() else ("", count)


def _is_advertisement(unit: str, is_tag: bool) -> bool:
    """Return True if a tag or a sentence, in half-width characters, is an advertisement."""
    if len(unit) > _LONGEST_SENTENCE + 2 or not _SIGN.search(unit):
        return False
    if is_tag:
        return True
    total, left = len(_HAN.findall(unit)), len(_HAN.findall(_WORDS.sub("", unit)))
    # Half of it may be a site's name; a short line without a pause is hardly a sentence.
    return 2 * left <= total or (total <= 10 and not _PAUSE.search(unit))
