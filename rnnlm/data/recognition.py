"""The encoding of bytes that say nothing of it: the one whose text is the most plausible.

Nearly any bytes are text in several encodings, so each is judged by what its text would be. A
language gives every character a cost in bits, about -log2 of how often it occurs in that language;
the costs of a text add up, and the encoding with the lowest sum explains the bytes best. Chinese is
read where nothing else comes near; everything else is named, for the user to say.
"""

from __future__ import annotations

import codecs
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from rnnlm.data.frequent_characters import HAN, HANGUL

# An encoding is chosen where the next best costs so many bits more: odds of 250 to 1.
MARGIN = 8.0
# Nearly any even number of bytes is UTF-16: without zeros, so many are needed to tell.
_UTF16_BYTES = 32
# Where a character that is not ASCII costs more on average, a text is none in its language.
_MOST_BITS, _MOST_BITS_OF_A_BYTE = 14.0, 11.0
# What costs so many times as much as the best is not named.
_TOO_FAR = 1.2
# Bytes that are looked at: as many from each of some places in a large file.
_WINDOW, _WINDOWS = 2**15, 8

_ASCII_BITS = 5.0
_RARE_HAN, _UNKNOWN_LETTER, _SYMBOL, _CONTROL, _NO_CHARACTER = 15.0, 17.0, 14.0, 25.0, 40.0
# A Latin letter that touches one of another script, or a capital inside a word.
_TOUCHING_BITS, _CAPITAL_BITS = 4.0, 6.0

_MARKS = "，。、：；？！“”‘’（）《》「」『』—…\u3000·"
_WESTERN_MARKS = "’“”–—…«»‘"
_NOT_LATIN = "[\u0370-\u1fff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]"
_TOUCHING = re.compile(f"(?<=[A-Za-z]){_NOT_LATIN}|{_NOT_LATIN}(?=[A-Za-z])")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_NOT_ASCII_TEXT = re.compile(r"[^ -~\t\n\r]")


def _ranked(characters: str, first: float, slope: float, offset: int) -> dict[str, float]:
    return {
        character: first + slope * math.log2(rank + offset)
        for rank, character in enumerate(characters)
    }


def _alike(characters: Iterable[str], bits: float) -> dict[str, float]:
    return dict.fromkeys(characters, bits)


def _between(first: str, last: str, bits: float) -> dict[str, float]:
    return _alike(map(chr, range(ord(first), ord(last) + 1)), bits)


def _cased(lower: dict[str, float], more: float) -> dict[str, float]:
    """Letters, and their capitals, which are so much rarer."""
    upper = {c.upper(): bits + more for c, bits in lower.items() if len(c.upper()) == 1}
    return upper | lower


_FULL_WIDTH = _between("！", "～", 10.0) | _alike("〈〉【】〔〕〖〗﹁﹂﹃﹄～￥〇", 10.0)
_HAN = _ranked(HAN, 4.0, 0.8, 20)
_SIGNS = _alike("①②③④⑤⑥⑦⑧⑨⑩○●□■△▲☆★◇◆→※§×÷±°", 12.0)
_LATIN_SIGNS = _alike("°§£€©®™·×\u00a0\u00ad½²³º", 11.0) | _alike(_WESTERN_MARKS, 7.5)

_CHINESE = _FULL_WIDTH | _between("¡", "ÿ", 13.0) | _alike("āēěīǐōǒūǔǎǖǘǚǜ", 13.0) | _SIGNS | _HAN
_CHINESE |= _alike(_MARKS, 6.0)
_JAPANESE = _FULL_WIDTH | _SIGNS | {han: bits + 1.5 for han, bits in _HAN.items()}
_JAPANESE |= _between("ァ", "ヺ", 8.0) | _between("ぁ", "ゔ", 9.0) | _between("｡", "ﾟ", 11.0)
_JAPANESE |= _ranked(
    "のいしるをにたてはすなとかがでらまれさりこもうくっきあけよそんどだせちわつめえおみじ",
    4.0,
    0.6,
    2,
)
_JAPANESE |= _alike(_MARKS, 6.0) | {"ー": 7.0, "々": 9.0, "・": 8.0}
_KOREAN = _FULL_WIDTH | _SIGNS | _between("가", "힣", 13.5) | _between("ㄱ", "ㅣ", 12.0)
_KOREAN |= _ranked(HANGUL, 3.5, 0.8, 8) | _alike("“”‘’…·", 9.0)
_WESTERN = (
    _LATIN_SIGNS | _cased(_alike("éèàêçùâîôûëïœüäößñáíóúãõåæøìòð", 7.5), 4.0) | _alike("¿¡", 9.0)
)
_CENTRAL = _LATIN_SIGNS | _cased(_alike("ąćęłńóśźżáčďéěíňřšťúůýžőűöüäôăâîșțşţđ", 7.5), 4.0)
_TURKISH = _LATIN_SIGNS | _cased(_alike("çğıöşüâ", 7.0), 4.0) | {"İ": 10.0}
_RUSSIAN = _LATIN_SIGNS | _cased(_ranked("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъ", 3.0, 0.6, 1), 4.0)
_RUSSIAN |= _cased(_alike("ёіїєґўјљњћђџ", 9.0), 4.0) | {"№": 10.0}
_GREEK = _LATIN_SIGNS | _cased(_alike("αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋ", 5.0), 4.0)
_HEBREW = _LATIN_SIGNS | _ranked("יוהתלארשמבנסחדםקעפכןטגזצךץף", 3.0, 0.7, 1)
_ARABIC = _LATIN_SIGNS | _between("ء", "ْ", 10.0) | _alike("،؟؛پچگی", 9.0)
_ARABIC |= _ranked("اليمترنوةدحعأقبسكفجهخصإىذطثغضشءئزظآؤ", 3.0, 0.7, 1)
_THAI = _LATIN_SIGNS | _between("ก", "๛", 11.0)
_THAI |= _ranked("า่นอกเ้รลมีังยหดสบวทตไคปิจูใืข์ุชแะพ็ผถำณซโฟึธศษภญ", 3.5, 0.75, 1)


class Encoding(NamedTuple):
    """An encoding, and the language of the texts that come in it."""

    codecs: tuple[str, ...]  # the first that can decode a text is meant
    language: dict[str, float]
    single_byte: bool = False
    rarity: float = 0.0  # in bits, of texts in it that are ASCII for the most part


# Texts in these are read where they are recognised.
_UTF16 = tuple(
    Encoding((codec,), language)
    for codec in ("utf-16-le", "utf-16-be")
    for language in (_CHINESE, _JAPANESE, _KOREAN, _WESTERN, _CENTRAL, _RUSSIAN, _GREEK)
)
_CHINESE_ENCODINGS = (
    Encoding(("gb18030",), _CHINESE),
    Encoding(("big5", "big5hkscs", "cp950"), _CHINESE),
)
# Texts in these are not: too much alike, they are named for the user to choose.
_NAMED = (
    Encoding(("shift_jis", "cp932"), _JAPANESE),
    Encoding(("euc_jp",), _JAPANESE),
    Encoding(("euc_kr", "cp949"), _KOREAN),
    Encoding(("cp1252", "latin_1"), _WESTERN, single_byte=True),
    Encoding(("mac_roman",), _WESTERN, single_byte=True, rarity=2.0),
    Encoding(("cp850",), _WESTERN, single_byte=True, rarity=2.0),
    Encoding(("cp1250",), _CENTRAL, single_byte=True, rarity=4.0),
    Encoding(("iso8859_2",), _CENTRAL, single_byte=True, rarity=4.0),
    Encoding(("cp1254",), _TURKISH, single_byte=True, rarity=4.0),
    Encoding(("cp1251",), _RUSSIAN, single_byte=True, rarity=8.0),
    Encoding(("koi8_r", "koi8_u"), _RUSSIAN, single_byte=True, rarity=8.0),
    Encoding(("iso8859_5",), _RUSSIAN, single_byte=True, rarity=8.0),
    Encoding(("cp866",), _RUSSIAN, single_byte=True, rarity=8.0),
    Encoding(("cp1253", "iso8859_7"), _GREEK, single_byte=True, rarity=8.0),
    Encoding(("cp1255", "iso8859_8"), _HEBREW, single_byte=True, rarity=8.0),
    Encoding(("cp1256",), _ARABIC, single_byte=True, rarity=8.0),
    Encoding(("cp874",), _THAI, single_byte=True, rarity=8.0),
)
# These are ASCII with escapes, and so UTF-8 as well.
_ESCAPE_SEQUENCE, _HZ = re.compile(rb"\x1b\$"), re.compile(rb"~\{(?:[!-w][!-~])+~\}")


class Candidate(NamedTuple):
    """An encoding that some bytes may be in, and what its text would cost."""

    bits: float  # more than if all bytes that are ASCII were
    codec: str
    is_read: bool
    rarity: float


def recognised(content: bytes) -> tuple[str | None, list[str]]:
    """The encoding of bytes that are no UTF-8, and the codecs of all that it could be.

    Returns:
        None where it cannot be told; then the most plausible of the others, the best first.
    """
    found = _candidates(content)
    if found and found[0].is_read and (len(found) == 1 or found[1].bits - found[0].bits >= MARGIN):
        return found[0].codec, [found[0].codec]
    found.sort(key=lambda candidate: candidate.bits + candidate.rarity)
    return None, [candidate.codec for candidate in found]


def escaped(content: bytes) -> list[str]:
    """The codecs by which ASCII that is valid UTF-8 would be another text, if there are any."""
    if _ESCAPE_SEQUENCE.search(content):
        possible = ["iso2022_jp_2", "iso2022_jp_ext", "iso2022_kr"]
    elif _HZ.search(content):
        possible = ["hz"]
    else:
        return []
    found = []
    for codec in possible:
        text = content.decode(codec, "ignore")  # damaged, it is no better in ASCII
        if not text.isascii():
            language = {"hz": _CHINESE, "iso2022_kr": _KOREAN}.get(codec, _JAPANESE)
            if _bits(_features(text), Encoding((codec,), language)) is not None:
                found.append(codec)
    return found


def _candidates(content: bytes) -> list[Candidate]:
    """The encodings whose text would be plausible, the best first."""
    sample = _sample(content)
    of_ascii = _ASCII_BITS * (len(sample) - len(_NOT_ASCII.findall(sample)))
    holds_zero = b"\0" in content
    is_small = _UTF16_BYTES <= len(content) <= _WINDOW * _WINDOWS
    wide = _UTF16 if holds_zero or is_small else ()
    features: dict[str, _Features | None] = {}
    best: dict[str, Candidate] = {}
    for encoding in (*wide, *(() if holds_zero else (*_CHINESE_ENCODINGS, *_NAMED))):
        for codec in encoding.codecs:
            if codec not in features:
                text = _decoded(sample, codec)
                features[codec] = None if text is None or "\0" in text else _features(text)
            of_text = features[codec]
            if of_text is None:
                continue
            bits = _bits(of_text, encoding)
            if bits is not None and (codec not in best or bits - of_ascii < best[codec].bits):
                is_read = encoding not in _NAMED
                best[codec] = Candidate(bits - of_ascii, codec, is_read, encoding.rarity)
            break
    found: list[Candidate] = []
    texts = set()
    for candidate in sorted(best.values(), key=lambda candidate: candidate.bits):
        if found and candidate.bits > max(found[0].bits, 0) * _TOO_FAR + 2 * MARGIN:
            break
        try:
            text = content.decode(candidate.codec)
        except UnicodeDecodeError:
            continue
        # In several encodings it may be the same text.
        if "\0" not in text and text not in texts:
            texts.add(text)
            found.append(candidate)
    return found


def _decoded(sample: bytes, codec: str) -> str | None:
    """The text of a sample, which may end within a character."""
    try:
        return codecs.getincrementaldecoder(codec)().decode(sample)
    except UnicodeDecodeError:
        return None


def _sample(content: bytes) -> bytes:
    """The bytes, or of many some lines that are not ASCII alone."""
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


class _Features(NamedTuple):
    """What a text's cost is made of."""

    ascii_count: int
    others: Counter[str]
    touching: int
    capitals: int


def _features(text: str) -> _Features:
    others = Counter(_NOT_ASCII_TEXT.findall(text))
    return _Features(
        len(text) - others.total(),
        others,
        len(_TOUCHING.findall(text)),
        _capitals_inside_words(text),
    )


def _bits(text: _Features, encoding: Encoding) -> float | None:
    """What a text costs in a language; None where it is no text of it."""
    other = _TOUCHING_BITS * text.touching + _CAPITAL_BITS * text.capitals
    for character, count in text.others.items():
        other += count * (encoding.language.get(character) or _cost(character))
    most = _MOST_BITS_OF_A_BYTE if encoding.single_byte else _MOST_BITS
    if other > most * text.others.total():
        return None
    return text.ascii_count * _ASCII_BITS + other


def _cost(character: str) -> float:
    """What a character costs that a language does not know."""
    category = unicodedata.category(character)
    if category in ("Co", "Cn", "Cs"):
        return _NO_CHARACTER
    if category == "Cc":
        return _CONTROL
    if "\u4e00" <= character <= "\u9fff":
        return _RARE_HAN
    return _UNKNOWN_LETTER if category.startswith("L") else _SYMBOL


def _capitals_inside_words(text: str) -> int:
    """The capitals beyond ASCII that a small letter stands before."""
    words = Counter(re.findall(r"[^\W\d_]*[^\x00-\x7f][^\W\d_]*", text))
    return sum(
        count * sum(b.isupper() and b > "~" and a.islower() for a, b in pairwise(word))
        for word, count in words.items()
    )
