"""Bytes to text: the encodings that English and Chinese texts come in, always decoded strictly."""

from __future__ import annotations

import codecs
import re
import warnings
from typing import NamedTuple

from rnnlm.data.texts import recognition
from rnnlm.data.texts.source import SourceError
from rnnlm.messages.legible import escaped
from rnnlm.options import OptionError

# A byte order mark settles the question. UTF-32's begins with UTF-16's, so it comes first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NAMES = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32-le": "UTF-32",
    "utf-32-be": "UTF-32",
    "gb18030": "GB18030",
    "big5": "Big5",
    "big5hkscs": "Big5-HKSCS",
    "cp950": "Big5 (cp950)",
}
# A message names at most this many other encodings, and shows this many characters of each text.
_NAMED, _SHOWN = 3, 10
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


class Decoded(NamedTuple):
    """A file's text and the name of the encoding that it was decoded from."""

    text: str
    encoding: str


def decode(content: bytes, name: str, encoding: str | None = None) -> str:
    """Return the text of a file, as `text_and_encoding` does."""
    return text_and_encoding(content, name, encoding).text


def text_and_encoding(content: bytes, name: str, encoding: str | None = None) -> Decoded:
    r"""Return the text of a file, without a byte order mark, its lines ending in ``\n``.

    Recognises UTF-8, UTF-16, GB18030 (GBK) and Big5. Nothing is ever skipped or replaced.

    Args:
        encoding: a codec of Python's; None to recognise it.

    Raises:
        OptionError: the file is not in the encoding, or it is not recognised, or there is no text.
    """
    codec = encoding or _recognised(content, name)
    try:
        text = _strictly(content, codec)
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{name} is not text in {codec}: byte {error.start} cannot be decoded"
        ) from error
    except (ValueError, LookupError) as error:
        raise SourceError(f"{name} is not text in {codec} ({escaped(str(error))})") from error
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text or text.isspace():
        raise SourceError(f"{name} holds no text")
    return Decoded(text, _NAMES.get(codec, codec))


def is_unicode(content: bytes) -> bool:
    """Return True if the bytes are UTF-8 or begin with a byte order mark."""
    if any(content.startswith(mark) for mark, _ in _MARKS):
        return True
    try:
        return "\0" not in content.decode() and not recognition.codecs_with_escapes(content)
    except UnicodeDecodeError:
        return False


def check_encoding(encoding: str) -> None:
    """Check that Python has an encoding, and that it is one of text.

    Raises:
        OptionError: Python does not know the encoding, or it is not one of text.
    """
    try:
        _strictly(b"a", encoding)
    except UnicodeError:
        pass  # an encoding in which this byte is not text
    except (LookupError, ValueError) as error:
        raise OptionError(
            "data.encoding",
            f"{encoding[:40]!r} is no encoding of text that Python knows; it takes null, to "
            "recognise it, or a name such as utf-8, gb18030, big5, shift_jis, euc_kr or cp1252",
        ) from error


def _strictly(content: bytes, codec: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the codec unicode_escape warns
        return content.decode(codec)


def _recognised(content: bytes, name: str) -> str:
    """Return the codec of a file."""
    for mark, codec in _MARKS:
        if content.startswith(mark):
            return codec
    if is_unicode(content):
        return "utf-8"
    if possible := recognition.codecs_with_escapes(content):
        raise _not_recognised(content, f"{name} holds escape sequences", possible)
    recognised, possible = recognition.recognised(content)
    if recognised is not None:
        return recognised
    if furthest := _furthest(content):
        codec, byte = furthest
        problem = (
            f"{name} is not text in UTF-8, UTF-16, GB18030 or Big5: byte {byte} cannot be decoded "
            f"({codec} decodes all bytes before it)"
        )
    else:
        problem = f"{name} is not text in UTF-8, and what else it is cannot be told for sure"
    raise _not_recognised(content, problem, possible)


def _furthest(content: bytes) -> tuple[str, int] | None:
    """Return the encoding that decodes most of a damaged file, and the byte where it fails.

    None if some encoding decodes the whole file, plausible or not.
    """
    zero = content.find(b"\0")
    failures: dict[str, int] = {}
    for codec in ("utf-8", "gb18030", "big5"):
        try:
            content.decode(codec)
            failures[codec] = zero
        except UnicodeDecodeError as error:
            failures[codec] = error.start if zero < 0 else min(error.start, zero)
    # A file that begins with several characters of UTF-8 beyond ASCII is hardly anything else.
    if len(_NOT_ASCII.findall(content[: failures["utf-8"]].decode())) > 3:
        return "utf-8", failures["utf-8"]
    codec = max(failures, key=lambda codec: failures[codec])
    return None if min(failures.values()) < 0 else (codec, failures[codec])


def _not_recognised(content: bytes, problem: str, possible: list[str]) -> OptionError:
    """Return the error for a file that is in one of some encodings, or in none that is known."""
    if not possible:
        advice = "if it is text in another encoding, data.encoding=NAME says in which"
    else:
        shown = ", ".join(
            f"{codec} ({_excerpt(content.decode(codec, 'replace'))})" for codec in possible[:_NAMED]
        )
        advice = f"it could be {shown}: say in which, such as data.encoding={possible[0]}"
    return SourceError(f"{problem}; {advice}")


def _excerpt(text: str) -> str:
    """Return some characters around the first one that is not ASCII."""
    found = _NOT_ASCII.search(text)
    start = max(0, found.start() - _SHOWN // 2) if found else 0
    some = text[start : start + _SHOWN]
    return "".join(character if character.isprintable() else " " for character in some).strip()
