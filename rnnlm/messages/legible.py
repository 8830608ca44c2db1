r"""Text from files and command lines, made safe to show: short, and on one line.

A terminal obeys control characters: a stranger's text could rename its window, hide lines or worse.
They are shown as Python writes them, such as `\x1b`.
"""

from __future__ import annotations

import re

# Longer names are shown by their beginning and their end.
LONGEST_NAME = 400
# A message repeats at most this much of a value.
LONGEST_VALUE = 80
# Control characters, line and paragraph separators, marks that change the direction of writing, and
# surrogates, which stand for bytes that are not UTF-8.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_CONTROL_IN_LINES = re.compile(_CONTROL.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))


def escaped(text: str) -> str:
    """Spell out the control characters of a text, line ends too, which makes it one line."""
    return _CONTROL.sub(_spelled_out, text)


def escaped_lines(text: str) -> str:
    """Spell out the control characters of a text, but not its line ends and tabs."""
    return _CONTROL_IN_LINES.sub(_spelled_out, text)


def escaped_json(text: str) -> str:
    """Write the control characters that are left in JSON as its escapes."""
    return _CONTROL_IN_LINES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def shortened(text: str, longest: int = LONGEST_NAME) -> str:
    """Leave out the middle of a text that is longer than `longest` characters."""
    if len(text) <= longest:
        return text
    end = longest // 4
    return f"{text[: longest - end - 1]}…{text[-end:]}"


def legible(text: str, longest: int = LONGEST_NAME) -> str:
    """Shorten a text and spell out its control characters."""
    return escaped(shortened(text, longest))


def in_message(text: str) -> str:
    """Make a value legible in a message about it."""
    return legible(text, LONGEST_VALUE)


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its type's name if that line is empty."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def _spelled_out(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
