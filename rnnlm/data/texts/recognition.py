"""The encoding of bytes that do not name it: the one whose text is the most plausible.

Nearly any bytes are text in several encodings, so each is judged by what its text would be. A
language gives every character a cost in bits, about -log2 of how often it occurs. The costs of a
text add up, and the encoding with the lowest sum explains the bytes best. Chinese is read if no
other comes near; every other encoding is only named, for the user to choose. The costs and the
encodings are in `languages.json`.
"""

from __future__ import annotations

import codecs
import functools
import json
import math
import re
import unicodedata
from collections import Counter
from importlib.resources import files
from itertools import pairwise
from typing import Any, NamedTuple

# An encoding is chosen if the next best costs at least this many bits more: odds of 250 to 1.
MARGIN = 8.0
# Nearly any even number of bytes is UTF-16: without zeros, at least this many are needed to tell.
_UTF16_BYTES = 32
# A text is not in a language if a character beyond ASCII costs more than this on average.
_MOST_BITS, _MOST_BITS_OF_A_BYTE = 14.0, 11.0
# An encoding that costs more than this many times as much as the best is not named.
_TOO_FAR = 1.2
# The bytes of a large file that are looked at: _WINDOW bytes from each of _WINDOWS places.
_WINDOW, _WINDOWS = 2**15, 8

_ASCII_BITS = 5.0
_RARE_HAN, _UNKNOWN_LETTER, _SYMBOL, _CONTROL, _NO_CHARACTER = 15.0, 17.0, 14.0, 25.0, 40.0
# More bits for a Latin letter that touches one of another script, and a capital inside a word.
_TOUCHING_BITS, _CAPITAL_BITS = 4.0, 6.0

_NOT_LATIN = "[\u0370-\u1fff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]"
_TOUCHING = re.compile(f"(?<=[A-Za-z]){_NOT_LATIN}|{_NOT_LATIN}(?=[A-Za-z])")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_NOT_ASCII_TEXT = re.compile(r"[^ -~\t\n\r]")
# These are ASCII with escapes, and so UTF-8 as well.
_ESCAPE_SEQUENCE, _HZ = re.compile(rb"\x1b\$"), re.compile(rb"~\{(?:[!-w][!-~])+~\}")


class Encoding(NamedTuple):
    """An encoding, and the language of the texts that come in it; see `languages.json`."""

    codecs: tuple[str, ...]
    language: str
    is_read: bool = False
    is_single_byte: bool = False
    rarity: float = 0.0


_TABLES: dict[str, Any] = json.loads((files(__package__) / "languages.json").read_text("utf-8"))
_ENCODINGS = [Encoding(**encoding) for encoding in _TABLES["encodings"]]


@functools.cache
def _language(name: str) -> dict[str, float]:
    """Return what each character costs in a language."""
    costs: dict[str, float] = {}
    for rule in _TABLES["languages"][name]:
        if "like" in rule:
            found = {c: bits + rule.get("more", 0.0) for c, bits in _language(rule["like"]).items()}
        else:
            characters = rule.get("characters") or map(
                chr, range(ord(rule["from"]), ord(rule["to"]) + 1)
            )
            slope, offset = rule.get("slope", 0.0), rule.get("offset", 1)
            found = {
                character: rule["bits"] + slope * math.log2(rank + offset)
                for rank, character in enumerate(characters)
            }
        if "capitals" in rule:
            upper = {c.upper(): bits + rule["capitals"] for c, bits in found.items()}
            found = {c: bits for c, bits in upper.items() if len(c) == 1} | found
        costs |= found
    return costs


class Candidate(NamedTuple):
    """An encoding that some bytes may be in, and what its text would cost."""

    bits: float  # beyond the cost of the ASCII bytes
    codec: str
    is_read: bool
    rarity: float


def recognised(content: bytes) -> tuple[str | None, list[str]]:
    """Return the codec of bytes that are not UTF-8, and the codecs of all that they could be.

    The first is None if it cannot be told; the others then stand with the most plausible first.
    """
    found = _candidates(content)
    if found and found[0].is_read and (len(found) == 1 or found[1].bits - found[0].bits >= MARGIN):
        return found[0].codec, [found[0].codec]
    found.sort(key=lambda candidate: candidate.bits + candidate.rarity)
    return None, [candidate.codec for candidate in found]


def codecs_with_escapes(content: bytes) -> list[str]:
    """Return the codecs in which ASCII that is valid UTF-8 would be another text."""
    languages = {"iso2022_jp_2": "japanese", "iso2022_jp_ext": "japanese", "iso2022_kr": "korean"}
    if not _ESCAPE_SEQUENCE.search(content):
        languages = {"hz": "chinese"} if _HZ.search(content) else {}
    found = []
    for codec, language in languages.items():
        text = content.decode(codec, "ignore")  # damaged, it is no better in ASCII
        if not text.isascii() and _bits(_character_counts(text), language, _MOST_BITS) is not None:
            found.append(codec)
    return found


def _candidates(content: bytes) -> list[Candidate]:
    """Return the encodings whose text would be plausible, the best first."""
    sample = _sample(content)
    ascii_bits = _ASCII_BITS * (len(sample) - len(_NOT_ASCII.findall(sample)))
    holds_zero = b"\0" in content
    may_be_wide = holds_zero or _UTF16_BYTES <= len(content) <= _WINDOW * _WINDOWS
    counts: dict[str, _CharacterCounts | None] = {}
    best: dict[str, Candidate] = {}
    for encoding in _ENCODINGS:
        is_wide = encoding.codecs[0].startswith("utf-16")
        if not may_be_wide if is_wide else holds_zero:
            continue
        for codec in encoding.codecs:
            if codec not in counts:
                text = _decoded(sample, codec)
                counts[codec] = None if text is None or "\0" in text else _character_counts(text)
            if (found := counts[codec]) is None:
                continue
            most = _MOST_BITS_OF_A_BYTE if encoding.is_single_byte else _MOST_BITS
            bits = _bits(found, encoding.language, most)
            if bits is not None and (codec not in best or bits - ascii_bits < best[codec].bits):
                best[codec] = Candidate(bits - ascii_bits, codec, encoding.is_read, encoding.rarity)
            break
    return _different(content, sorted(best.values(), key=lambda candidate: candidate.bits))


def _different(content: bytes, candidates: list[Candidate]) -> list[Candidate]:
    """Return the candidates that come near the best; of those with the same text only the first."""
    found: list[Candidate] = []
    texts = set()
    for candidate in candidates:
        if found and candidate.bits > max(found[0].bits, 0) * _TOO_FAR + 2 * MARGIN:
            break
        try:
            text = content.decode(candidate.codec)
        except UnicodeDecodeError:
            continue
        if "\0" not in text and text not in texts:
            texts.add(text)
            found.append(candidate)
    return found


def _decoded(sample: bytes, codec: str) -> str | None:
    """Return the text of a sample, which may end within a character."""
    try:
        return codecs.getincrementaldecoder(codec)().decode(sample)
    except UnicodeDecodeError:
        return None


def _sample(content: bytes) -> bytes:
    """Return the bytes; of a large file, some lines that are not all ASCII."""
    if len(content) <= _WINDOW * _WINDOWS or b"\0" in content:
        return content[: _WINDOW * _WINDOWS]
    windows, end = [], 0
    for number in range(_WINDOWS):
        found = _NOT_ASCII.search(content, max(end, len(content) * number // _WINDOWS))
        if found is None:
            break
        # A line end is never part of another character.
        start = content.rfind(b"\n", 0, found.start()) + 1
        if start < end or (number > 0 and start == 0):
            continue
        end = content.rfind(b"\n", start, start + _WINDOW) + 1 or start + _WINDOW
        end = max(end, found.end())
        windows.append(content[start:end])
    return b"".join(windows)


class _CharacterCounts(NamedTuple):
    """The counts that a text's cost is made of."""

    ascii: int
    others: Counter[str]  # characters beyond ASCII
    touching: int
    capitals: int


def _character_counts(text: str) -> _CharacterCounts:
    others = Counter(_NOT_ASCII_TEXT.findall(text))
    return _CharacterCounts(
        len(text) - others.total(),
        others,
        len(_TOUCHING.findall(text)),
        _capitals_inside_words(text),
    )


def _bits(text: _CharacterCounts, language: str, most: float) -> float | None:
    """Return what a text costs in a language; None if it is not text of that language.

    Args:
        most: the most that a character beyond ASCII may cost on average.
    """
    costs = _language(language)
    other = _TOUCHING_BITS * text.touching + _CAPITAL_BITS * text.capitals
    for character, count in text.others.items():
        other += count * (costs.get(character) or _unlisted_cost(character))
    if other > most * text.others.total():
        return None
    return text.ascii * _ASCII_BITS + other


def _unlisted_cost(character: str) -> float:
    """Return what a character costs that a language does not list."""
    category = unicodedata.category(character)
    if category in ("Co", "Cn", "Cs"):
        return _NO_CHARACTER
    if category == "Cc":
        return _CONTROL
    if "\u4e00" <= character <= "\u9fff":
        return _RARE_HAN
    return _UNKNOWN_LETTER if category.startswith("L") else _SYMBOL


def _capitals_inside_words(text: str) -> int:
    """Count the capitals beyond ASCII that follow a small letter."""
    words = Counter(re.findall(r"[^\W\d_]*[^\x00-\x7f][^\W\d_]*", text))
    return sum(
        count * sum(b.isupper() and b > "~" and a.islower() for a, b in pairwise(word))
        for word, count in words.items()
    )
