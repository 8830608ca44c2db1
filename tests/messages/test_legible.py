"""rnnlm/messages/legible.py"""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.messages.legible import escaped, escaped_json, escaped_lines, legible, shortened

ANY_TEXT = st.text(st.characters(exclude_categories=[]))


def test_control_characters_are_spelled_out_and_all_else_stays() -> None:
    assert escaped("\x1b[31m春\x07\t\n\x9b\u202e\udcff é") == (
        "\\x1b[31m春\\x07\\t\\n\\x9b\\u202e\\udcff é"
    )
    assert escaped_lines("a\tb\n\rc\x00") == "a\tb\n\\rc\\x00"


@given(ANY_TEXT)
@settings(deadline=None, derandomize=True)
def test_what_is_legible_is_one_short_line_that_any_terminal_and_file_takes(text: str) -> None:
    shown = legible(text, 50)
    assert shown.isprintable() or not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in shown)
    assert len(shown.splitlines()) <= 1
    shown.encode()
    assert len(shortened(text, 50)) <= 50
    assert escaped(shown) == shown


@given(st.recursive(ANY_TEXT, lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner)))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_json_says_the_same_after_its_control_characters_are_escaped(value: object) -> None:
    text = escaped_json(json.dumps(value, indent=2, ensure_ascii=False))
    assert json.loads(text) == value
    assert not any(127 <= ord(character) < 160 for character in text)


def test_a_long_name_is_known_by_its_ends() -> None:
    assert shortened("a" * 400) == "a" * 400
    assert shortened("begin" + "x" * 100_000 + "end", 20) == "beginxxxxxxxxx…xxend"
