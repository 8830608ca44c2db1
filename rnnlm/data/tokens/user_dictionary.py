"""The user's own words for jieba: a file in jieba's format, one word a line.

A line is a word, its frequency and its kind (`nr` for a name), with spaces, tabs or commas between
them; frequency and kind may be missing. A frequency of 0 takes a word out of jieba's dictionary.
Lines without effect are reported by their numbers.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from rnnlm.data.tokens.segmentation import IN_WORDS
from rnnlm.options import OptionError

_LINE_END = re.compile(r"\r\n|\r|\n")
_BETWEEN_FIELDS = re.compile(r"[\s,，]+")
_KIND = re.compile(r"[A-Za-z]+")
_LONGEST_WORD = 100
# More than all frequencies of jieba's dictionary together, and far below the largest float.
_LARGEST_FREQUENCY = 10**12
# At most this many lines without effect are named.
_LINES_NAMED = 5


class UserWord(NamedTuple):
    """A word and its frequency; jieba takes the least that makes it a word if that is None."""

    word: str
    frequency: int | None = None


@dataclass(frozen=True)
class UserDictionary:
    """The words of a user's dictionary, in the order of its lines."""

    words: tuple[UserWord, ...] = ()
    sha256: str = ""  # the hash of the file
    problems: tuple[str, ...] = ()  # the lines without effect

    @functools.cached_property
    def added_words(self) -> set[str]:
        """The words that text may be cut into: all but those that are taken out."""
        return {word for word, frequency in dict(self.words).items() if frequency != 0}

    @property
    def warnings(self) -> list[str]:
        """One warning that names the lines without effect, if there are any."""
        if not self.problems:
            return []
        more = len(self.problems) - _LINES_NAMED
        named = [*self.problems[:_LINES_NAMED], *([f"and {more:,} more"] if more > 0 else [])]
        return [f"data.user_dict: lines without effect: {'; '.join(named)}"]


def read_user_dictionary(name: str) -> UserDictionary:
    """Return the user's dictionary.

    Raises:
        OptionError: the file cannot be read, or is not UTF-8 text.
    """
    try:
        path = Path(name).expanduser()
        if path.exists() and not path.is_file():
            kind = "a folder" if path.is_dir() else "no file that can be read twice"
            raise OptionError("data.user_dict", f"{path} is {kind}, it takes a file of words")
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OptionError("data.user_dict", f"{path} is not UTF-8 text") from error
    except OSError as error:
        raise OptionError("data.user_dict", f"{path} cannot be read ({error.strerror})") from error
    except (ValueError, RuntimeError) as error:  # a zero byte in the name; `~` of no user
        raise OptionError("data.user_dict", f"{name!r} cannot be read ({error})") from error
    words, problems = [], []
    for number, line in enumerate(_LINE_END.split(text), 1):
        try:
            if (word := _word_of(line)) is not None:
                words.append(word)
        except _NoEffectError as error:
            problems.append(f"line {number}, {error}")
    return UserDictionary(tuple(words), hashlib.sha256(content).hexdigest(), tuple(problems))


def restored(kept: Sequence[object]) -> UserDictionary:
    """Return the dictionary of the words that a checkpoint has kept.

    Raises:
        ValueError: they are not words with frequencies.
    """
    words = msgspec.convert(kept, tuple[UserWord, ...])
    for word in words:
        _check(word)
    return UserDictionary(words)


class _NoEffectError(ValueError):
    """The reason why a line has no effect on jieba."""


def _word_of(line: str) -> UserWord | None:
    """Return the word of a line; None if the line is empty or a comment, `# …`."""
    fields = [field for field in _BETWEEN_FIELDS.split(line.lstrip("\ufeff")) if field]
    if not fields or fields[0] == "#":
        return None
    word, *rest = fields
    frequency = None
    if rest and not _KIND.fullmatch(rest[0]):
        digits = rest.pop(0)
        if not digits.isdecimal():
            raise _NoEffectError(f"{_shown(word)}: {_shown(digits)} is no frequency or kind")
        digits = digits.lstrip("0") or "0"
        if len(digits) > len(str(_LARGEST_FREQUENCY)):  # Python reads no number of any length
            raise _NoEffectError(f"{_shown(word)}: its frequency is too large")
        frequency = int(digits)
    if rest and not (len(rest) == 1 and _KIND.fullmatch(rest[0])):
        raise _NoEffectError(f"{_shown(word)}: more than a word, a frequency and a kind")
    found = UserWord(word, frequency)
    _check(found)
    return found


def _check(found: UserWord) -> None:
    """Check that jieba can use a word."""
    word, frequency = found
    if not 1 <= len(word) <= _LONGEST_WORD:
        raise _NoEffectError(f"{_shown(word)}: not 1 to {_LONGEST_WORD} characters long")
    if frequency is not None and not 0 <= frequency <= _LARGEST_FREQUENCY:
        raise _NoEffectError(f"{_shown(word)}: its frequency is too large")
    if other := re.search(f"[^{IN_WORDS}]", word):
        raise _NoEffectError(f"{_shown(word)}: jieba always cuts at {_shown(other[0])}")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 20 else f"{text[:20]}…")
