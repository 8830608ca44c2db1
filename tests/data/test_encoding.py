"""rnnlm/data/encoding.py"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.data.encoding import decode
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
    with pytest.raises(OptionError, match=r"byte (8999|9000) cannot be decoded \(gb18030 comes"):
        decode(content, "some.txt")


def test_an_empty_file_holds_no_text() -> None:
    with pytest.raises(OptionError, match=r"some\.txt holds no text"):
        decode(b" \n\n", "some.txt")


def test_a_large_file_is_decoded_whole() -> None:
    for encoding in ("gb18030", "utf-16-le", "utf-16-be"):
        text = SIMPLIFIED * 20
        assert decode(text.encode(encoding), "some.txt") == text
