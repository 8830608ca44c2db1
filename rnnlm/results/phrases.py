"""Lists and ranges in English, for the texts beside tables and plots."""

from __future__ import annotations

from collections.abc import Sequence


def listed(names: Sequence[str], word: str = "and") -> str:
    """Join names, such as `a, b and c`."""
    *others, last = names or [""]
    return f"{', '.join(others)} {word} {last}" if others else last


def span(low: object, high: object) -> str:
    """Return a range, such as `2 to 5`, or the one value if both ends are the same."""
    return f"{low}" if low == high else f"{low} to {high}"


def capitalised(text: str) -> str:
    """Return the text with its first letter in upper case and all others unchanged."""
    return text[:1].upper() + text[1:]
