"""Bytes to text: the encodings that English and Chinese texts come in, always decoded strictly."""

from __future__ import annotations

import codecs
import re
import warnings
from typing import NamedTuple

from rnnlm.data import recognition
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
# The other encodings that a file may be in are named, at most so many, each with some characters.
_NAMED, _SHOWN = 3, 10
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


class Decoded(NamedTuple):
    """A file's text and the name of the encoding that it was read in."""

    text: str
    encoding: str


def decode(content: bytes, name: str, encoding: str | None = None) -> str:
    """The text of a file, as `decoded` gives it."""
    return decoded(content, name, encoding).text


def decoded(
    content: bytes, name: str, encoding: str | None = None, say: str = "data.encoding="
) -> Decoded:
    r"""The text of a file, without a byte order mark, lines ending in ``\n``.

    Recognises UTF-8, UTF-16, GB18030 (GBK) and Big5. Nothing is ever skipped or replaced.

    Args:
        encoding: the codec to use; None to recognise it.
        say: how the user says the encoding, for messages.

    Raises:
        OptionError: the file is not in the encoding, or cannot be told to be in one; or it holds no
            text.
    """
    codec = encoding or _recognised(content, name, say)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of unicode_escape
            text = content.decode(codec)
    except UnicodeDecodeError as error:
        raise OptionError(
            "data.source", f"{name} is not text in {codec}: byte {error.start} cannot be decoded"
        ) from error
    except (ValueError, LookupError) as error:
        raise OptionError("data.source", f"{name} is not text in {codec} ({error})") from error
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text or text.isspace():
        raise OptionError("data.source", f"{name} holds no text")
    return Decoded(text, _NAMES.get(codec, codec))


def is_unicode(content: bytes) -> bool:
    """Whether bytes tell by themselves that they are UTF-8, or have a byte order mark."""
    if any(content.startswith(mark) for mark, _ in _MARKS):
        return True
    try:
        return "\0" not in content.decode() and not recognition.escaped(content)
    except UnicodeDecodeError:
        return False


def check_encoding(encoding: str) -> None:
    """Refuse the name of an encoding that Python does not know, or whose output is no text.

    Raises:
        OptionError: it is one.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            b"a".decode(encoding)
    except UnicodeError:
        pass  # it is one, in which this is no text
    except (LookupError, ValueError) as error:
        raise OptionError(
            "data.encoding",
            f"{encoding[:40]!r} is no encoding of text that Python knows; it takes null, to "
            "recognise it, or a name such as utf-8, gb18030, big5, shift_jis, euc_kr or cp1252",
        ) from error


def _recognised(content: bytes, name: str, say: str) -> str:
    """The codec of a file that does not say it itself.

    Raises:
        OptionError: it cannot be told.
    """
    for mark, codec in _MARKS:
        if content.startswith(mark):
            return codec
    if is_unicode(content):
        return "utf-8"
    if others := recognition.escaped(content):
        raise _unrecognised(content, f"{name} holds escape sequences", others, say)
    recognised, others = recognition.recognised(content)
    if recognised is not None:
        return recognised
    if furthest := _furthest(content):
        codec, byte = furthest
        problem = (
            f"{name} is not text in UTF-8, UTF-16, GB18030 or Big5: byte {byte} cannot be decoded "
            f"({codec} comes that far)"
        )
    else:
        problem = f"{name} is not text in UTF-8, and what else it is cannot be told for sure"
    raise _unrecognised(content, problem, others, say)


def _furthest(content: bytes) -> tuple[str, int] | None:
    """The encoding that a file with damage is in, or else comes furthest, and where it fails.

    None where the file can be decoded as Chinese, plausible or not.
    """
    zero = content.find(b"\0")
    failures: dict[str, int] = {}
    for codec in ("utf-8", "gb18030", "big5"):
        try:
            content.decode(codec)
            failures[codec] = zero
        except UnicodeDecodeError as error:
            failures[codec] = error.start if zero < 0 else min(error.start, zero)
    # A damaged file that begins with several characters beyond ASCII is hardly anything else.
    if len(_NOT_ASCII.findall(content[: failures["utf-8"]].decode())) > 3:
        return "utf-8", failures["utf-8"]
    codec = max(failures, key=lambda codec: failures[codec])
    return None if min(failures.values()) < 0 else (codec, failures[codec])


def _unrecognised(content: bytes, problem: str, others: list[str], say: str) -> OptionError:
    """The error for a file that may be in several encodings, or in one that is never assumed."""
    if not others:
        return OptionError(
            "data.source", f"{problem}; if it is text in another encoding, {say}NAME says in which"
        )
    shown = ", ".join(
        f"{codec} ({_shown(content.decode(codec, 'replace'))})" for codec in others[:_NAMED]
    )
    return OptionError(
        "data.source", f"{problem}; it could be {shown}: say in which, such as {say}{others[0]}"
    )


def _shown(text: str) -> str:
    """Some characters from where the encoding makes a difference."""
    found = _NOT_ASCII.search(text)
    start = max(0, found.start() - _SHOWN // 2) if found else 0
    some = text[start : start + _SHOWN]
    return "".join(character if character.isprintable() else " " for character in some).strip()
