"""rnnlm/data/encoding.py"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnnlm.data import encoding as encoding_module
from rnnlm.data.encoding import decode, decoded_pieces
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


def test_a_large_file_is_decoded_whole(tmp_path: Path) -> None:
    for encoding in ("gb18030", "utf-16-le", "utf-16-be"):
        text = SIMPLIFIED * 20
        assert decode(text.encode(encoding), "some.txt") == text


def in_pieces(path: Path, piece_bytes: int) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding_module, "PIECE_BYTES", piece_bytes)
        return list(decoded_pieces(path))


@pytest.fixture(scope="module")
def some_txt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("encoding") / "some.txt"


# Each byte order mark, and none, before bytes that may be of any encoding, or a bit of it.
BYTES = st.tuples(
    st.sampled_from([b"", *(mark for mark, _ in encoding_module._MARKS)]),
    st.one_of(
        st.binary(),
        st.tuples(
            st.lists(st.sampled_from(["a", "\r", "\n", "\r\n", "\0", "é", "字", "𠀀"])),
            st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "gb18030", "utf-32-le"]),
            st.binary(max_size=1),
        ).map(lambda drawn: "".join(drawn[0]).encode(drawn[1]) + drawn[2]),
    ),
).map(b"".join)


@given(BYTES, st.integers(1, 9))
@example(b" \r", 1)
@example(b"ab\0", 1)
def test_pieces_are_the_text_of_the_whole_or_its_error(
    some_txt: Path, content: bytes, piece_bytes: int
) -> None:
    some_txt.write_bytes(content)
    expected: object
    found: object
    try:
        expected = decode(content, some_txt.name)
    except OptionError as error:
        expected = str(error)
    try:
        pieces = in_pieces(some_txt, piece_bytes)
        assert all(pieces)
        found = "".join(pieces)
    except OptionError as error:
        found = str(error)
    assert found == expected


@given(
    st.lists(st.sampled_from(["word ", "字", "鹤", "é", "\r\n", "\r", "\n"]), min_size=20),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    st.integers(1, 9),
)
def test_any_text_comes_back_in_pieces(
    some_txt: Path, parts: list[str], name: str, piece_bytes: int
) -> None:
    text = "word" + "".join(parts)
    some_txt.write_bytes(text.encode(name))
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert "".join(in_pieces(some_txt, piece_bytes)) == lines


@pytest.mark.parametrize("name", ["gb18030", "big5", "utf-16-le", "utf-16-be"])
def test_pieces_of_what_the_detector_must_tell(some_txt: Path, name: str) -> None:
    lines = [line for line in TRADITIONAL.split("\n") if _fits(line, name)]
    text = "\n".join(lines) * 3
    some_txt.write_bytes(text.encode(name))
    pieces = in_pieces(some_txt, 1001)
    assert "".join(pieces) == text
    assert max(map(len, pieces)) <= 1001


def test_what_cannot_be_decoded_is_found_before_the_first_piece(some_txt: Path) -> None:
    some_txt.write_bytes(b"\xef\xbb\xbf" + b"text\n" * 100 + b"\xff")
    with pytest.raises(OptionError, match=r"some\.txt is not text in .*: byte 503 cannot"):
        next(decoded_pieces(some_txt))
    with pytest.raises(OptionError, match=r"byte 503 cannot be decoded \(utf-8 comes"):
        decode(some_txt.read_bytes(), "some.txt")
