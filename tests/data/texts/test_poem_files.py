"""rnnlm/data/texts/poem_files.py: titles, authors and missing characters in files of poems."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.data.texts.poem_files import NoPoemsError, Poems, read_poems
from rnnlm.options import OptionError

VERSES = ["白水過前村，青山出遠門。", "一夜風吹雨，三春鳥入雲。", "月出東山上，人歸北渡頭。"]
TITLES = ["雪", "晨起，望海有作", "答客問？", "題某：其一", "寄" * 70, "和友人；并序", "山居、雜興"]


@pytest.mark.parametrize("colon", [":", "："])
@pytest.mark.parametrize("author", ["", "某甲", "無名氏"])
def test_the_first_colon_ends_a_title_whatever_is_in_it(colon: str, author: str) -> None:
    titles = [title for title in TITLES if colon not in title]
    parts = [author] if author else []
    lines = [colon.join([t, *parts, VERSES[i % 3]]) for i, t in enumerate(titles * 4)]
    expected = [VERSES[i % 3] for i in range(len(lines))]
    found = read_poems("\n".join(lines), "poems.txt")
    assert found == Poems(expected, len(lines), len(lines) if author else 0)


def test_most_titles_may_have_a_comma() -> None:
    lines = [f"晨起，望海有作:{verse}" for verse in VERSES] * 5
    assert read_poems("\n".join(lines), "a.txt") == Poems(VERSES * 5, 15)


def test_a_colon_in_a_poem_is_no_title() -> None:
    lines = [*VERSES * 3, "君問我：何時歸？", "白水過前村，青山出遠門。人道：春去也。"]
    assert read_poems("\n".join(lines), "a.txt") == Poems(lines)
    spoken = ["白水過前村。人道：春去也。", "青山出遠門。我道：不如歸。"]
    assert read_poems("\n".join(spoken), "a.txt") == Poems(spoken)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("白水?前村，青山出遠門。", "白水_前村，青山出遠門。"),
        ("白水過前?，青山出遠門。", "白水過前_，青山出遠門。"),
        ("人歸北渡頭?月出東山上。", "人歸北渡頭?月出東山上。"),
        ("流水,人家.何處?", "流水,人家.何處?"),
    ],
)
def test_a_question_mark_is_a_missing_character_where_the_verse_says_so(
    text: str, expected: str
) -> None:
    assert read_poems(text, "a.txt").texts == [expected]


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("{}", NoPoemsError, "a.json holds no list of poems"),
        ("[1]", NoPoemsError, "poem 1 has no list of texts called 'paragraphs' .*object.*int"),
        ('[{"name": "x"}]', NoPoemsError, "poem 1 has no list .*missing required field"),
        ('[{"paragraphs": ["a"]}, {"paragraphs": "b"}]', OptionError, "poem 2 .*array.*str"),
        ('[{"paragraphs": ["a", 5]}]', NoPoemsError, r"poem 1 .*str.*int.*paragraphs\[1\]"),
        ('[{"paragraphs": ["a"', OptionError, "is not whole JSON"),
        ("[" * 100_000, OptionError, "is not whole JSON"),
    ],
)
def test_json_of_another_shape_is_refused_by_poem_and_field(
    content: str, error: type[OptionError], message: str
) -> None:
    with pytest.raises(error, match=message) as raised:
        read_poems(content, "a.json")
    assert isinstance(raised.value, NoPoemsError) == (error is NoPoemsError)
    assert "\n" not in str(raised.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["paragraphs", "title"]), inner, max_size=2)
    ),
    max_leaves=8,
)


@given(JSON)
def test_any_json_is_poems_or_a_clear_error(content: object) -> None:
    try:
        found = read_poems(json.dumps(content), "a.json")
    except OptionError as error:
        assert "\n" not in str(error)
    else:
        assert isinstance(content, list)
        assert found.texts == ["".join(poem["paragraphs"]) for poem in content]


@given(st.text())
def test_any_lines_are_poems(text: str) -> None:
    poems = read_poems(text, "a.txt")
    assert len(poems.texts) == sum(bool(line.strip()) for line in text.split("\n"))
