"""rnnlm/data/tokens/user_dictionary.py"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.data.tokens.segmentation import JiebaTokenizer
from rnnlm.data.tokens.user_dictionary import (
    UserDictionary,
    UserWord,
    read_user_dictionary,
    restored,
)
from rnnlm.options import OptionError


def small_tokenizer() -> JiebaTokenizer:
    """A tokenizer of a few words."""
    tokenizer = JiebaTokenizer()
    tokenizer.FREQ = {"闻人": 30, "闻": 9, "说道": 90, "说": 99}
    tokenizer.total, tokenizer.initialized = 228, True
    return tokenizer


def read(content: str | bytes, folder: Path) -> UserDictionary:
    path = folder / "words.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_user_dictionary(str(path))


@pytest.mark.parametrize(
    ("line", "frequency"),
    [
        ("竹墨川", None),
        ("竹墨川 nr", None),
        ("竹墨川 100 nr", 100),
        ("竹墨川\t100\tnr", 100),
        ("竹墨川,100,nr", 100),
        ("竹墨川，100", 100),
        ("竹墨川\u3000１００", 100),
        ("\ufeff竹墨川 0", 0),
        ("  竹墨川 100  ", 100),
        ("竹墨川 " + "0" * 5_000 + "7", 7),
    ],
)
def test_lines_that_are_understood(line: str, frequency: int | None, tmp_path: Path) -> None:
    for end in ("\n", "\r\n", "\r"):
        found = read(f"# names{end}{line}{end}{end}{line}", tmp_path)
        assert found.words == (UserWord("竹墨川", frequency),) * 2
        assert found.warnings == []
        assert found.added_words == (set() if frequency == 0 else {"竹墨川"})


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("竹墨川 1.5", "'1.5' is no frequency or kind"),
        ("竹墨川 -1", "'-1' is no frequency or kind"),
        ("竹墨川 白鹭声", "'白鹭声' is no frequency or kind"),
        ("竹墨川 nr 100", "more than a word, a frequency and a kind"),
        ("竹墨川 1 nr x", "more than a word, a frequency and a kind"),
        ("约翰·史密斯", "jieba always cuts at '·'"),
        ("竹墨川|100", "jieba always cuts at '|'"),
        ("𠮷田", "jieba always cuts at '𠮷'"),
        ("竹墨川 " + "9" * 5_000, "its frequency is too large"),
        ("竹墨川 1000000000001", "its frequency is too large"),
        ("竹墨川 " + "０" * 5_000, "its frequency is too large"),
        ("竹" * 1_000_000, "not 1 to 100 characters long"),
    ],
)
def test_a_line_without_effect_is_named(line: str, why: str, tmp_path: Path) -> None:
    found = read(f"白鹭声\n{line}\n", tmp_path)
    assert found.words == (UserWord("白鹭声"),)
    (warning,) = found.warnings
    assert warning.startswith("data.user_dict: lines without effect: line 2, ")
    assert why in warning
    assert len(warning) < 200


def test_of_many_such_lines_a_few_are_named(tmp_path: Path) -> None:
    (warning,) = read("a·b\n" * 1_000, tmp_path).warnings
    assert "line 5, 'a·b'" in warning
    assert warning.endswith("; and 995 more")


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(st.sampled_from("竹墨川 \t,·09.nr\r\n#\ufeff")))
def test_any_file_is_read_or_refused_in_a_line(
    tmp_path_factory: pytest.TempPathFactory, content: bytes | str
) -> None:
    folder = tmp_path_factory.getbasetemp()
    try:
        found = read(content, folder)
    except OptionError as error:
        assert str(error).endswith("words.txt is not UTF-8 text")
        return
    # jieba takes all of it, and the words outlive a checkpoint.
    tokenizer = small_tokenizer()
    for word in found.words:
        tokenizer.add_word(*word)
    assert "".join(tokenizer.cut("竹墨川说")) == "竹墨川说"
    assert restored([list(word) for word in found.words]).words == found.words


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(st.sampled_from("闻人鹊竹墨川说道a1"), min_size=1, max_size=4),
            st.sampled_from(["", " 100", " 1", " 9999999"]),
            st.sampled_from(["", " nr"]),
        ),
        max_size=6,
    )
)
def test_what_jieba_understands_is_taught_as_by_jieba(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, str, str]]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    found = read("\n".join(map("".join, lines)), folder)
    ours, theirs = small_tokenizer(), small_tokenizer()
    for word in found.words:
        ours.add_word(*word)
    with (folder / "words.txt").open("rb") as file:
        theirs.load_userdict(file)
    assert (ours.FREQ, ours.total) == (theirs.FREQ, theirs.total)


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, why in [
        (tmp_path / "nope.txt", "cannot be read (No such file or directory)"),
        (tmp_path, "is a folder, it takes a file of words"),
        (tmp_path / "pipe", "is no file that can be read twice"),
        ("a\0b", "cannot be read"),
        ("~no such user/words.txt", "cannot be read"),
    ]:
        with pytest.raises(OptionError) as refusal:
            read_user_dictionary(str(name))
        assert refusal.value.option == "data.user_dict"
        assert why in refusal.value.problem
    for content in ("竹墨川".encode("gb18030"), "竹墨川".encode("utf-16")):
        with pytest.raises(OptionError, match="is not UTF-8 text"):
            read(content, tmp_path)


def test_words_that_were_kept_are_checked() -> None:
    assert restored([["竹墨川", 100], ["白鹭声"]]).words == (("竹墨川", 100), ("白鹭声", None))
    for kept in (None, "竹墨川", [["竹墨川", "1"]], [["竹·川", 1]], [["", 1]], [["竹", -1]]):
        with pytest.raises(ValueError, match=r"Expected|jieba|characters|frequency"):
            restored(kept)  # type: ignore[arg-type]
