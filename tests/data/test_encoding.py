"""rnnlm/data/encoding.py"""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnnlm.data.encoding import check_encoding, decode, is_unicode, text_and_encoding
from rnnlm.options import OptionError
from tests.conftest import ROOT

SAMPLES = ROOT / "rnnlm" / "data" / "samples"
SIMPLIFIED = (SAMPLES / "jaychou.txt").read_text(encoding="utf-8")
TRADITIONAL = (SAMPLES / "tang.json").read_text(encoding="utf-8")
ENGLISH = (SAMPLES / "time_machine.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("length", [30, 300, None])
@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *((t, e) for t in (SIMPLIFIED, ENGLISH) for e in ("utf-8", "utf-8-sig", "gb18030")),
        *((t, e) for t in (SIMPLIFIED, ENGLISH) for e in ("utf-16", "utf-16-le", "utf-16-be")),
        (SIMPLIFIED, "gbk"),
        (TRADITIONAL, "gb18030"),
        (TRADITIONAL, "utf-16"),
    ],
    ids=lambda value: value if len(value) < 10 else value[:2],
)
def test_every_encoding_is_recognised(text: str, encoding: str, length: int | None) -> None:
    text = text[:length]
    assert decode(text.encode(encoding), "some.txt") == text


def test_big5_is_told_from_gb18030() -> None:
    lines = [line for line in TRADITIONAL.split("\n") if _fits(line, "big5")]
    text = "\n".join(lines)
    assert len(lines) > 200
    assert decode(text.encode("big5"), "some.txt") == text


def _fits(line: str, encoding: str) -> bool:
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


@given(st.binary())
def test_any_bytes_are_text_or_a_clear_error(content: bytes) -> None:
    try:
        text = decode(content, "some.txt")
    except OptionError as error:
        assert "some.txt" in str(error)
        assert "\n" not in str(error)
    else:
        assert text.strip()
        assert "\r" not in text


@given(st.text(min_size=1).filter(lambda t: t.strip() and not set("\r\0\ufeff") & set(t)))
def test_any_text_in_utf8_comes_back(text: str) -> None:
    assert decode(text.encode(), "some.txt") == text


def test_a_byte_order_mark_and_line_ends_are_no_text() -> None:
    assert decode(b"\xef\xbb\xbfone\r\ntwo\rthree\n", "some.txt") == "one\ntwo\nthree\n"


def test_the_offset_of_what_no_encoding_explains_is_named() -> None:
    with pytest.raises(OptionError, match=r"some\.txt is not text in .*: byte 3 cannot be decoded"):
        decode(b"abc\xff", "some.txt")


def test_the_offset_is_that_of_the_encoding_which_comes_furthest() -> None:
    content = SIMPLIFIED.encode("gb18030")[:9000] + b"\xff" + b"\n"
    with pytest.raises(OptionError, match=r"byte (8999|9000) cannot be decoded \(gb18030 decodes"):
        decode(content, "some.txt")


def test_an_empty_file_holds_no_text() -> None:
    with pytest.raises(OptionError, match=r"some\.txt holds no text"):
        decode(b" \n\n", "some.txt")


def test_a_large_file_is_decoded_whole() -> None:
    for encoding in ("gb18030", "utf-16-le", "utf-16-be"):
        text = SIMPLIFIED * 20
        assert decode(text.encode(encoding), "some.txt") == text


def test_a_refusal_names_what_it_could_be_and_how_to_say_it() -> None:
    content = "he can’t, she isn’t".encode("cp1252")
    with pytest.raises(
        OptionError, match=r"cp1252 \(e can’t, s\).*, such as data\.encoding=cp1252"
    ):
        decode(content, "some.txt")
    assert decode(content, "some.txt", "cp1252") == "he can’t, she isn’t"


def test_escapes_are_refused_and_read_where_they_are_said() -> None:
    content = "春天来了，花开了。".encode("hz")
    with pytest.raises(OptionError, match=r"holds escape sequences; .* data\.encoding=hz"):
        decode(content, "some.txt")
    assert decode(content, "some.txt", "hz") == "春天来了，花开了。"


def test_what_is_said_is_done_strictly() -> None:
    with pytest.raises(OptionError, match=r"some\.txt is not text in ascii: byte 3 cannot be"):
        decode("abcé".encode(), "some.txt", "ascii")
    # A byte order mark is no text, whoever says the encoding.
    assert decode("\ufeffab".encode("utf-16-le"), "some.txt", "utf-16-le") == "ab"
    assert decode("\ufeffab".encode(), "some.txt", "utf-8") == "ab"
    assert decode("a\r\nb".encode("utf-32"), "some.txt", "utf-32") == "a\nb"


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16"), ("gb18030", "GB18030"), ("utf-8", "UTF-8")],
)
def test_the_encoding_is_named(encoding: str, name: str) -> None:
    assert text_and_encoding(SIMPLIFIED.encode(encoding), "some.txt").encoding == name


@pytest.mark.parametrize(
    "encoding",
    ["rot13", "base64", "zip", "hex", "nope", "", "a\0b", "x" * 5000, "../os"],
)
def test_what_is_no_encoding_of_text_is_refused_in_one_line(encoding: str) -> None:
    with pytest.raises(OptionError) as raised:
        check_encoding(encoding)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 250


@example(b"\n", "punycode")
@given(st.binary(), st.sampled_from(["cp1252", "utf-16", "utf-7", "idna", "punycode", "shift_jis"]))
def test_any_bytes_in_any_encoding_are_text_or_a_clear_error(content: bytes, encoding: str) -> None:
    check_encoding(encoding)
    try:
        assert decode(content, "some.txt", encoding).strip()
    except OptionError as error:
        assert str(error).startswith("data.source: some.txt ")
        assert "\n" not in str(error)


def test_unicode_says_so_itself() -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        assert is_unicode("春".encode(encoding))
    assert not is_unicode("春天".encode("gb18030"))
    assert not is_unicode("春天来了".encode("hz"))
