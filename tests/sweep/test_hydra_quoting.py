"""rnnlm/sweep/hydra_quoting.py: what is typed is what an option gets."""

from __future__ import annotations

import shlex

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep
from hydra.errors import HydraException
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.options import OptionError
from rnnlm.sweep.hydra_quoting import as_hydra_reads, quoted, with_plain_interpolations

PARSER = OverridesParser.create()

STRINGS = [
    "小说.txt",
    "café.txt",
    "a(1).txt",
    "a(1,2).txt",
    "a&b!c.txt",
    "it's.txt",
    '"quoted',
    "'春'y",
    "[a].txt",
    "{x}.txt",
    "$HOME/x",
    "a # b; c",
    "a=b.txt",
    "=x",
    "novels(1)",
    "春\\",
    '\\"春\\"\\',
    " 春 ",
    "\u3000",
    "C:\\texts\\书.txt",
    "😀",
    "ｆｕｌｌ",
    "TMP\udcbd\udcf0.txt",
    "9" * 5000,
    "${seed}/春",
    "{春:1}",
    "~/书",
    "line\nbreak",
]


def value_of(argument: str, multirun: bool = True) -> object:
    """Return the value that the option gets."""
    return PARSER.parse_override(as_hydra_reads(argument, PARSER, multirun)).value()


def swept(argument: str) -> list[object]:
    sweep = value_of(argument)
    assert isinstance(sweep, ChoiceSweep)
    return [getattr(value, "text", value) for value in sweep.list]


@pytest.mark.parametrize("text", STRINGS)
def test_a_string_is_the_string_that_was_typed(text: str) -> None:
    assert value_of(f"data.source={text}", multirun=False) == text


def test_elements_are_looked_at_one_by_one() -> None:
    assert value_of("x=[春, 夏,3,true,a b]") == ["春", "夏", 3, True, "a b"]
    assert value_of("x=[[春],'a,b',c(1)]") == [["春"], "a,b", "c(1)"]
    assert value_of("x={a:春,b:[夏],c:1}") == {"a": "春", "b": ["夏"], "c": 1}
    assert swept("x=小说.txt, 另一本.txt,3") == ["小说.txt", "另一本.txt", 3]
    assert swept("x=it's,that's") == ["it's", "that's"]
    assert swept("x=a(1,b.txt") == ["a(1", "b.txt"]
    assert swept("x=choice(rnn,小)") == ["rnn", "小"]
    assert as_hydra_reads("data=glob(include=红*)", PARSER) == 'data=glob(include="红*")'


def test_a_comma_without_a_sweep_gets_what_to_type() -> None:
    with pytest.raises(OptionError) as error:
        as_hydra_reads("data.source=小,说.txt", PARSER, multirun=False)
    line = str(error.value)
    assert line.startswith("data.source: 小,说.txt is several values, add -m to sweep them")
    (argument,) = shlex.split(line.partition(" is typed ")[2])
    assert value_of(argument, multirun=False) == "小,说.txt"


@pytest.mark.parametrize(
    "argument", ["=1", "~", "+", "seed", "seed =1", '"seed"=1', "种子=1", "/=1"]
)
def test_what_is_no_override_is_said_to_be_none(argument: str) -> None:
    with pytest.raises(OptionError, match="not an override, it takes option=value"):
        as_hydra_reads(argument, PARSER)


@pytest.mark.parametrize("argument", ["x=[春,]", "x=春,,夏", "x=,春", f"x={'[' * 2000}"])
def test_what_cannot_be_meant_is_refused(argument: str) -> None:
    with pytest.raises(OptionError) as error:
        as_hydra_reads(argument, PARSER)
    assert len(str(error.value)) < 300


ALPHABET = st.characters(exclude_characters="\0", exclude_categories=()) | st.sampled_from(
    "()[]{}'\"\\:= \t#$&;~-_%01aé春😀"
)


@settings(deadline=None, derandomize=True, max_examples=400)
@given(st.text(ALPHABET, min_size=1, max_size=12))
def test_a_value_keeps_hydras_meaning_or_is_itself(text: str) -> None:
    argument = f"x={text}"
    try:
        PARSER.parse_override(argument)
    except (HydraException, ValueError):
        pass
    else:
        assert as_hydra_reads(argument, PARSER) == argument
        return
    if "," not in text and text.strip(" \t")[:1] not in ("[", "{") and not text.endswith(")"):
        assert value_of(argument, multirun=False) == text


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.text(ALPHABET, max_size=12))
def test_a_quoted_text_is_read_as_the_text(text: str) -> None:
    assert PARSER.parse_override(f"x={quoted(text)}").value() == text


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.text(ALPHABET | st.just(","), max_size=20))
def test_whatever_is_typed_is_read_or_refused_in_a_line(text: str) -> None:
    try:
        readable = as_hydra_reads(f"x={text}", PARSER)
    except OptionError as error:
        assert "\n" not in str(error)
    else:
        try:
            PARSER.parse_override(readable)
        except HydraException as error:
            assert "while evaluating" in str(error)


def test_an_interpolation_is_recorded_as_it_is_typed() -> None:
    for typed in ("x=${oc.env:TOKEN}", "x=a-${seed}"):
        override = PARSER.parse_override(typed)
        escaped = f"x={override.get_value_element_as_str()}"
        assert escaped != typed
        assert with_plain_interpolations(escaped) == typed
    assert with_plain_interpolations("x=1") == "x=1"
