"""An argument of the command line as a person types it, in the form that Hydra's grammar reads.

Hydra's lexer knows no letter beyond ASCII and few marks: `data.source=小说.txt` and
`data.source=a(1).txt` are errors to it. Here a value that Hydra can read stays as it is, whatever
it means to Hydra. A value that it cannot read is a sweep, a list, a map or a call of one of Hydra's
functions, of which each element is looked at by itself, or else it is the string that was typed and
gets quotes. A comma inside a pair of brackets or quotes separates nothing.
"""

from __future__ import annotations

import re
import shlex

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.errors import HydraException

from rnnlm.messages.legible import LONGEST_VALUE, in_message
from rnnlm.options import OptionError

_CLOSING = {"(": ")", "[": "]", "{": "}"}
# Quotes count only where they hold a whole element: in it's.txt they are part of the name.
_QUOTED_ELEMENT = re.compile(
    r"""(?:^|(?<=[\[{(,:=])) [ \t]* (?: "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )
        (?= [ \t]* (?: [,\]}):] | $ ) )""",
    re.VERBOSE | re.DOTALL,
)
_CALL = re.compile(r"([A-Za-z_][\w-]*)[ \t]*\(", re.ASCII)
_NAMED_ARGUMENT = re.compile(r"[A-Za-z_]\w*[ \t]*=", re.ASCII)
# What Hydra takes away around a value without quotes.
BLANKS = " \t"
_NO_OVERRIDE = "not an override, it takes option=value"
# Each takes Hydra's parser a while, and those within each other a level of its stack.
_MOST_BRACKETS = 1000
# The longest piece of an argument that a message repeats.


def as_hydra_reads(argument: str, parser: OverridesParser, multirun: bool = True) -> str:
    """Turn an argument into one that Hydra parses and that means what was typed.

    Args:
        multirun: whether commas between values are a sweep.

    Raises:
        OptionError: it is no override, or it means several things; the line says what to type.
    """
    key, equals, value = argument.partition("=")
    if not key.strip("+~@"):
        raise OptionError(in_message(argument), _NO_OVERRIDE)
    if sum(map(value.count, _CLOSING)) > _MOST_BRACKETS:
        raise OptionError(key.lstrip("+~"), f"it has more than {_MOST_BRACKETS} brackets")
    if _parsed(argument, parser) is not None:
        return argument
    if not equals or _parsed(f"{key}=", parser) is None:
        raise OptionError(in_message(argument), _NO_OVERRIDE)
    try:
        parts = _split(value)
        if len(parts) > 1 and not multirun:
            raise OptionError(key.lstrip("+~"), several_values(argument))
        if not all(part.strip(BLANKS) for part in parts):
            raise OptionError(key.lstrip("+~"), _empty_value(argument))
        if len(parts) == 1:
            readable = f"{key}={_element(value, parser, key)}"
        else:
            elements = (_element(part.strip(BLANKS), parser, key) for part in parts)
            readable = f"{key}={','.join(elements)}"
    except RecursionError:
        raise OptionError(key.lstrip("+~"), "its brackets are too deep") from None
    return readable


def with_plain_interpolations(override: str) -> str:
    """The override with an interpolation as it is typed, where Hydra has put escapes into it."""
    if "$\\{" not in override:
        return override
    parser = OverridesParser.create()
    parsed = _parsed(override, parser)
    if parsed is None or not isinstance(parsed.value(), str):
        return override
    plain = f"{parsed.get_key_element()}={parsed.value()}"
    reread = _parsed(plain, parser)
    if reread is not None and reread.value() == parsed.value():
        return plain
    return f"{parsed.get_key_element()}={quoted(str(parsed.value()))}"


def several_values(argument: str) -> str:
    """What is said of an argument with commas where nothing is swept."""
    key, _, value = argument.partition("=")
    return (
        f"{in_message(value)} is several values, add -m to sweep them; "
        f"one value with a comma is typed {_for_shell(f'{key}={quoted(value)}')}"
    )


def quoted(text: str) -> str:
    """The text as a string in quotes, as Hydra's grammar takes it."""
    return QuotedString(text, Quote.double).with_quotes()


def _for_shell(argument: str) -> str:
    return shlex.quote(argument) if len(argument) <= LONGEST_VALUE else "in double quotes"


def _empty_value(argument: str) -> str:
    key, _, value = argument.partition("=")
    return (
        f"{in_message(value)} has an empty value between its commas; "
        f"as a string it is typed {_for_shell(f'{key}={quoted(value)}')}"
    )


def _parsed(argument: str, parser: OverridesParser) -> Override | None:
    """What Hydra reads in the argument; None where it reads nothing."""
    try:
        return parser.parse_override(argument)
    except RecursionError:
        raise
    except (HydraException, AssertionError, AttributeError, TypeError, ValueError):
        # Only the first is what Hydra means to raise; the others are its answers to `=1`, `~` and
        # a number of 5,000 digits.
        return None


def _element(text: str, parser: OverridesParser, key: str) -> str:
    """One value, without commas of its own: as it is where Hydra reads it, else made readable."""
    if _is_readable(text, parser):
        return text
    typed, text = text, text.strip(BLANKS)
    pairs = _pairs(text)
    last = len(text) - 1
    if text.startswith("[") and pairs.get(0) == last:
        elements = _split(text[1:-1])
        if not all(element.strip(BLANKS) for element in elements):
            raise OptionError(key.lstrip("+~"), _empty_value(f"{key}={text}"))
        return f"[{','.join(_element(e.strip(BLANKS), parser, key) for e in elements)}]"
    if text.startswith("{") and pairs.get(0) == last:
        entries = [_entry(entry.strip(BLANKS), parser, key) for entry in _split(text[1:-1])]
        if None not in entries:
            return "{" + ",".join(str(entry) for entry in entries) + "}"
    call = _CALL.match(text)
    if call and call[1] in parser.functions.functions and pairs.get(call.end() - 1) == last:
        arguments = [argument.strip(BLANKS) for argument in _split(text[call.end() : -1])]
        return f"{call[0]}{','.join(_call_argument(a, parser, key) for a in arguments)})"
    return quoted(typed)


def _entry(text: str, parser: OverridesParser, key: str) -> str | None:
    """An entry of a map; None where Hydra has no way to write it, as with a key beyond ASCII."""
    name, colon, value = text.partition(":")
    entry = f"{name}:{_element(value.strip(BLANKS), parser, key)}"
    return entry if colon and _is_readable(f"{{{entry}}}", parser) else None


def _call_argument(text: str, parser: OverridesParser, key: str) -> str:
    name = _NAMED_ARGUMENT.match(text)
    start = name.end() if name else 0
    return text[:start] + (
        _element(text[start:].strip(BLANKS), parser, key) if text[start:] else ""
    )


def _is_readable(text: str, parser: OverridesParser) -> bool:
    """Whether Hydra reads a value in the text, be it a sweep by one of its functions."""
    return bool(text.strip(BLANKS)) and _parsed(f"x={text}", parser) is not None


def _split(text: str) -> list[str]:
    """The pieces of the text between commas, but for those in a pair of brackets or in quotes."""
    masked = _masked(text)
    pairs = _pairs(text)
    pieces, start, position = [], 0, 0
    while position < len(text):
        if masked[position] == ",":
            pieces.append(text[start:position])
            start = position + 1
        position = pairs.get(position, position) + 1
    return [*pieces, text[start:]]


def _pairs(text: str) -> dict[int, int]:
    """Where the bracket that is opened at a place is closed; one without its partner is a mark."""
    pairs: dict[int, int] = {}
    opened: list[int] = []
    masked = _masked(text)
    for position, character in enumerate(masked):
        if character in _CLOSING:
            opened.append(position)
        elif character in _CLOSING.values():
            for depth in range(len(opened) - 1, -1, -1):
                if _CLOSING[masked[opened[depth]]] == character:
                    pairs[opened[depth]] = position
                    del opened[depth:]
                    break
    return pairs


def _masked(text: str) -> str:
    """The text with each element in quotes made of letters, as long as it was."""
    return _QUOTED_ELEMENT.sub(lambda match: "q" * len(match[0]), text)
