"""rnnlm/data/tokenizer.py, of every corpus there is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.data import corpora
from rnnlm.data.preparation import prepare
from rnnlm.data.tang import Form
from rnnlm.options import OptionError
from tests.support.small_corpora import named, untrained


@given(st.sampled_from(sorted(corpora())), st.text())
@settings(deadline=None)
def test_a_text_typed_by_hand_is_all_there(name: str, text: str) -> None:
    tokens = untrained(named(name)).prompt_tokens(text)
    assert len("".join(tokens)) == len(text.replace("\r\n", "\n"))
    assert "\r" not in tokens


def test_nothing_typed_is_no_tokens_and_no_text_is_refused() -> None:
    for name in corpora():
        assert untrained(named(name)).prompt_tokens("") == []
        with pytest.raises(OptionError, match="prompt: it is not text in UTF-8"):
            untrained(named(name)).prompt_tokens("風\udcff")


def read(path: Path, name: str, **options: Any) -> list[str]:
    """The tokens of a file, as a corpus of one of its own reads them."""
    tokenizer = prepare(named(name, **options)).tokenizer
    return tokenizer.vocabulary.decode(tokenizer.read_file(path).ids_N.tolist())


@pytest.mark.parametrize("name", corpora())
def test_what_is_no_file_of_text_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    tokenizer = untrained(named(name))
    (tmp_path / "a.zip").write_bytes(b"PK")
    (tmp_path / "blank.txt").write_text(" \n\n", encoding="utf-8")
    (tmp_path / "broken.txt").write_bytes(b"abc\xff")
    with (tmp_path / "large.txt").open("wb") as file:
        file.truncate(2**30 + 1)
    os.mkfifo(tmp_path / "pipe")
    for path, problem in (
        (tmp_path, "is a folder, it takes one file of text"),
        (tmp_path / "a.zip", "is a zip, it takes one file of text"),
        (tmp_path / "nope.zip", "no file .*nope"),
        (tmp_path / ("long" * 100), "cannot be read"),
        (Path("zero\0"), "no file"),
        (Path("/dev/null"), "no file that can be read twice"),
        (tmp_path / "pipe", "no file that can be read twice"),
        (tmp_path / "large.txt", "larger than 1 GiB"),
        (tmp_path / "blank.txt", r"blank\.txt holds no text"),
        (tmp_path / "broken.txt", r"broken\.txt is not text in .*: byte 3 cannot be decoded"),
    ):
        with pytest.raises(OptionError, match=rf"^text: .*{problem}") as raised:
            tokenizer.read_file(path)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "file_name", "content"),
    [
        ("jinyong", "a.txt", "www.a.com\n\u3000\n"),
        ("tang", "a.txt", "Latin\n"),
        ("tang", "a.json", "[]"),
    ],
)
def test_a_file_of_which_no_text_is_left(
    tmp_path: Path, name: str, file_name: str, content: str
) -> None:
    (tmp_path / file_name).write_text(content, encoding="utf-8")
    with pytest.raises(OptionError, match=r"^text: .*a\.|^text: .* holds no novel"):
        read(tmp_path / file_name, name)


def test_a_dictionary_that_cannot_be_read_is_not_the_texts_fault(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("武林高手", encoding="utf-8")
    tokenizer = untrained(named("jinyong", user_dict=str(tmp_path / "nope.txt")))
    with pytest.raises(OptionError, match=r"^data\.user_dict: .* cannot be read"):
        tokenizer.read_file(tmp_path / "text.txt")


def test_options_that_limit_a_corpus_do_not_limit_a_file(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("千山鳥飛絕。\n千山鳥飛絕。\n", encoding="utf-8")
    assert len(read(path, "jaychou", max_chars=3000)) == 14
    # Neither the form nor that it comes again leaves out a poem.
    assert len(read(path, "tang", form=Form.qilv)) == 2 * 8


def test_what_is_read_beside_a_corpus_is_not_noted(tmp_path: Path) -> None:
    made = prepare(named("jinyong"))
    notes = list(made.notes)
    assert notes
    (tmp_path / "text.txt").write_text("www.a.com\n武林高手\n", encoding="utf-8")
    made.tokenizer.read_file(tmp_path / "text.txt")
    assert made.notes == notes
