"""Arguments of the command line, turned from what a person types into what Hydra's grammar reads.

Hydra's lexer knows ASCII letters and few marks: `data.source=小说.txt` and `data.source=a(1).txt`
are errors to it. A value that Hydra can read stays as it is here. Any other value is a sweep, a
list, a map or a call of one of Hydra's functions, whose elements are looked at one by one, or else
a string, which gets quotes. A comma inside a pair of brackets or quotes separates nothing.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.errors import HydraException

from rnnlm.messages.legible import LONGEST_VALUE, in_message
from rnnlm.options import OptionError

_CLOSING = {"(": ")", "[": "]", "{": "}"}
# Quotes count only around a whole element: in it's.txt, they are part of the name.
_QUOTED_ELEMENT = re.compile(
    r"""(?:^|(?<=[\[{(,:=])) [ \t]* (?: "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )
        (?= [ \t]* (?: [,\]}):] | $ ) )""",
    re.VERBOSE | re.DOTALL,
)
# The beginning of a list, a map, or the call of a function.
_OPENING = re.compile(r"([A-Za-z_][\w-]*[ \t]*(?=\()|)([\[{(])", re.ASCII)
_NAMED_ARGUMENT = re.compile(r"([A-Za-z_]\w*[ \t]*=)?(.*)", re.ASCII | re.DOTALL)
# Hydra strips these from a value without quotes.
_BLANKS = " \t"
NO_OVERRIDE = "not an override, it takes option=value"
# Hydra's parser spends time on each bracket, and a level of its stack on nested ones.
_MOST_BRACKETS = 1000


def as_hydra_reads(argument: str, parser: OverridesParser, multirun: bool = True) -> str:
    """Turn an argument into one that Hydra parses and that means what was typed.

    Args:
        multirun: True if commas between values make a sweep.

    Raises:
        OptionError: it is no override, or it has several meanings; the line says what to type.
    """
    key, equals, value = argument.partition("=")
    option = key.lstrip("+~")
    if not key.strip("+~@"):
        raise OptionError(in_message(argument), NO_OVERRIDE)
    if sum(map(value.count, _CLOSING)) > _MOST_BRACKETS:
        raise OptionError(option, f"it has more than {_MOST_BRACKETS} brackets")
    if _parsed(argument, parser) is not None:
        return argument
    if not equals or _parsed(f"{key}=", parser) is None:
        raise OptionError(in_message(argument), NO_OVERRIDE)
    values = _Values(parser, key)
    try:
        parts = _split(value)
        if len(parts) == 1:
            return f"{key}={values.readable(value)}"
        if not multirun:
            raise OptionError(option, several_values_message(argument))
        return f"{key}={','.join(values.all_readable(value))}"
    except RecursionError:
        raise OptionError(option, "its brackets are too deep") from None


def with_plain_interpolations(override: str) -> str:
    """Return an override with its interpolations as they are typed, without Hydra's escapes."""
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


def several_values_message(argument: str) -> str:
    """Say that an argument with commas needs -m, or quotes."""
    problem = "is several values, add -m to sweep them; one value with a comma"
    return _say_how_to_quote(argument, problem)


def quoted(text: str) -> str:
    """Return a text as a string in quotes, as Hydra's grammar takes it."""
    return QuotedString(text, Quote.double).with_quotes()


def _say_how_to_quote(argument: str, problem: str) -> str:
    key, _, value = argument.partition("=")
    typed = f"{key}={quoted(value)}"
    shown = shlex.quote(typed) if len(typed) <= LONGEST_VALUE else "in double quotes"
    return f"{in_message(value)} {problem} is typed {shown}"


def _parsed(argument: str, parser: OverridesParser) -> Override | None:
    """Parse an argument with Hydra; None if Hydra cannot read it."""
    try:
        return parser.parse_override(argument)
    except RecursionError:
        raise
    except (HydraException, AssertionError, AttributeError, TypeError, ValueError):
        # HydraException is Hydra's own error. Its parser raises the others by mistake, as for `=1`,
        # `~` and a number of 5,000 digits.
        return None


@dataclass
class _Values:
    """Makes the values of one option readable to Hydra's parser."""

    parser: OverridesParser
    key: str

    def readable(self, typed: str) -> str:
        """Return a value without commas of its own in a form that Hydra reads."""
        if self._is_readable(typed):
            return typed
        text = typed.strip(_BLANKS)
        opening = _OPENING.match(text)
        if opening and _pairs(text).get(opening.end() - 1) == len(text) - 1:
            inside = text[opening.end() : -1]
            match opening[2]:
                case "[":
                    return f"[{','.join(self.all_readable(inside, text))}]"
                case "{":
                    entries = [self._entry(entry.strip(_BLANKS)) for entry in _split(inside)]
                    if None not in entries:
                        return f"{{{','.join(map(str, entries))}}}"
                case "(" if opening[1].strip(_BLANKS) in self.parser.functions.functions:
                    arguments = [self._call_argument(a.strip(_BLANKS)) for a in _split(inside)]
                    return f"{opening[0]}{','.join(arguments)})"
        return quoted(typed)

    def all_readable(self, text: str, typed: str | None = None) -> list[str]:
        """Return the values between the commas of a text, each in a form that Hydra reads.

        Raises:
            OptionError: a value is empty; it shows what was typed.
        """
        values = [value.strip(_BLANKS) for value in _split(text)]
        if not all(values):
            problem = "has an empty value between its commas; as a string it"
            argument = f"{self.key}={typed or text}"
            raise OptionError(self.key.lstrip("+~"), _say_how_to_quote(argument, problem))
        return [self.readable(value) for value in values]

    def _entry(self, text: str) -> str | None:
        """Return an entry of a map; None if Hydra cannot write it, as with a key beyond ASCII."""
        name, colon, value = text.partition(":")
        entry = f"{name}:{self.readable(value.strip(_BLANKS))}"
        return entry if colon and self._is_readable(f"{{{entry}}}") else None

    def _call_argument(self, text: str) -> str:
        found = _NAMED_ARGUMENT.match(text)
        assert found is not None
        name, value = found[1] or "", found[2]
        return name + (self.readable(value.strip(_BLANKS)) if value else "")

    def _is_readable(self, text: str) -> bool:
        return bool(text.strip(_BLANKS)) and _parsed(f"x={text}", self.parser) is not None


def _split(text: str) -> list[str]:
    """Split a text at its commas, except those in a pair of brackets or in quotes."""
    masked, pairs = _masked(text), _pairs(text)
    pieces, start, position = [], 0, 0
    while position < len(text):
        if masked[position] == ",":
            pieces.append(text[start:position])
            start = position + 1
        position = pairs.get(position, position) + 1
    return [*pieces, text[start:]]


def _pairs(text: str) -> dict[int, int]:
    """Map each opening bracket's position to its closing one's; brackets without one are left out.

    In `(a]b)`, the square bracket has no partner.
    """
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
    """Replace each character of an element in quotes by `q`, so that positions stay the same."""
    return _QUOTED_ELEMENT.sub(lambda found: "q" * len(found[0]), text)
