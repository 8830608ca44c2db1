"""Bytes to text: the encodings that English and Chinese texts come in, always decoded strictly."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from charset_normalizer import from_bytes

from rnnlm.options import OptionError

# A byte order mark settles the question. UTF-32's begins with UTF-16's, so it comes first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Tried where UTF-8 is not it; GB18030 includes GBK and GB2312.
_CHINESE = ("gb18030", "big5")
# Any even number of bytes is nearly always some UTF-16, so without a mark the detector must say so,
# and it must have something to go by.
_UTF16 = ("utf_16_le", "utf_16_be")
_UTF16_BYTES = 32
# As much of a file as the detector is shown; the whole file is decoded.
_DETECTOR_BYTES = 65_536
# A file is decoded so many bytes at a time: about a million characters.
PIECE_BYTES = 2**21


def decode(content: bytes, name: str) -> str:
    r"""The text of a file, without a byte order mark, lines ending in ``\n``.

    Recognises UTF-8, UTF-16, GB18030 (GBK) and Big5. Nothing is ever skipped or replaced.

    Raises:
        OptionError: the file is in none of them (the first byte is named that the encoding which
            comes furthest cannot decode), or holds no text.
    """
    return "".join(_pieces(io.BytesIO(content), name))


def decoded_pieces(path: Path) -> Iterator[str]:
    """The text of a file of any size in pieces; joined, they are what `decode` gives.

    The file is read twice, in bounded memory: what cannot be decoded is found before the first
    piece.

    Raises:
        OptionError: as `decode`; a file of nothing but white space is refused at its end.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        yield from _pieces(file, path.name)


def _pieces(file: BinaryIO, name: str) -> Iterator[str]:
    holds_text = False
    try:
        for piece in _decoded(file, _encoding(file)):
            holds_text = holds_text or not piece.isspace()
            yield piece
    except _UndecodableError as error:
        raise OptionError(
            "data.source",
            f"{name} is not text in UTF-8, UTF-16, GB18030 or Big5: "
            f"byte {error.byte} cannot be decoded ({error.encoding} comes that far)",
        ) from error
    if not holds_text:
        raise OptionError("data.source", f"{name} holds no text")


class _UndecodableError(Exception):
    """An encoding, and the first byte of the file that it cannot decode."""

    def __init__(self, encoding: str, byte: int) -> None:
        super().__init__(encoding, byte)
        self.encoding, self.byte = encoding, byte


def _encoding(file: BinaryIO) -> str:
    """The encoding of all of the file."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(_DETECTOR_BYTES)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            _holds_zero(file, encoding)
            return encoding
    try:
        if not _holds_zero(file, "utf-8"):
            return "utf-8"
        # Zero bytes are no text: this is UTF-16 that happens to be valid UTF-8.
        furthest = _UndecodableError("utf-8", _first_zero_byte(file))
    except _UndecodableError as error:
        furthest = error
    for encoding in _candidates(head, size):
        try:
            if not _holds_zero(file, encoding):
                return encoding
        except _UndecodableError as error:
            furthest = max(furthest, error, key=lambda error: error.byte)
    raise furthest


def _holds_zero(file: BinaryIO, encoding: str) -> bool:
    """Whether a zero is among the characters, all of which are decoded."""
    holds_zero = False
    for piece in _decoded(file, encoding):
        holds_zero = holds_zero or "\0" in piece
    return holds_zero


def _decoded(file: BinaryIO, encoding: str) -> Iterator[str]:
    """The whole file in pieces, none of them empty; line ends are made one character."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    try:
        for block in _blocks(file):
            if piece := decoder.decode(block):
                yield piece
        if piece := decoder.decode(b"", final=True):
            yield piece
    except UnicodeDecodeError as error:
        # What was to be decoded ends where the file has been read to.
        byte = file.tell() - len(error.object) + error.start
        raise _UndecodableError(error.encoding, byte) from error


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while block := file.read(PIECE_BYTES):
        yield block


def _first_zero_byte(file: BinaryIO) -> int:
    before = 0
    for block in _blocks(file):
        if b"\0" in block:
            return before + block.index(b"\0")
        before += len(block)
    return before


def _candidates(sample: bytes, size: int) -> list[str]:
    """The other encodings, the one that the detector finds most plausible first.

    Args:
        sample: the beginning of a file of `size` bytes.
    """
    # Not cut within a character; zero bytes are a sign of UTF-16, all of whose sizes are even.
    if size > len(sample) and b"\0" not in sample and (end := sample.rfind(b"\n")) > 0:
        sample = sample[: end + 1]
    best = from_bytes(sample, cp_isolation=[*_CHINESE, *_UTF16]).best()
    plausible = [best.encoding] if best else []
    if size < _UTF16_BYTES:
        plausible = [encoding for encoding in plausible if encoding not in _UTF16]
    return list(dict.fromkeys([*plausible, *_CHINESE]))
