"""Bytes to text: the encodings that English and Chinese texts come in, always decoded strictly."""

from __future__ import annotations

import codecs
from typing import NamedTuple

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


def decode(content: bytes, name: str) -> str:
    r"""The text of a file, without a byte order mark, lines ending in ``\n``.

    Recognises UTF-8, UTF-16, GB18030 (GBK) and Big5. Nothing is ever skipped or replaced.

    Raises:
        OptionError: the file is in none of them (the first byte is named that the encoding which
            comes furthest cannot decode), or holds no text.
    """
    text = _decoded(content, name).replace("\r\n", "\n").replace("\r", "\n")
    if not text or text.isspace():
        raise OptionError("data.source", f"{name} holds no text")
    return text


def _decoded(content: bytes, name: str) -> str:
    mark = next((encoding for mark, encoding in _MARKS if content.startswith(mark)), None)
    furthest = _Undecodable(-1, "")
    for encoding in [mark] if mark else ["utf-8", *_candidates(content)]:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError as error:
            furthest = max(furthest, _Undecodable(error.start, encoding))
            continue
        if mark or "\0" not in text:
            return text
        # Zero bytes are no text: this is UTF-16 that happens to be valid UTF-8.
        furthest = max(furthest, _Undecodable(content.index(b"\0"), encoding))
    raise OptionError(
        "data.source",
        f"{name} is not text in UTF-8, UTF-16, GB18030 or Big5: "
        f"byte {furthest.byte} cannot be decoded ({furthest.encoding} comes that far)",
    )


class _Undecodable(NamedTuple):
    """The first byte of a file that an encoding cannot decode."""

    byte: int
    encoding: str


def _candidates(content: bytes) -> list[str]:
    """The other encodings, the one that the detector finds most plausible first."""
    sample = content[:_DETECTOR_BYTES]
    # Not cut within a character; zero bytes are a sign of UTF-16, all of whose sizes are even.
    if len(content) > len(sample) and b"\0" not in sample and (end := sample.rfind(b"\n")) > 0:
        sample = sample[: end + 1]
    best = from_bytes(sample, cp_isolation=[*_CHINESE, *_UTF16]).best()
    plausible = [best.encoding] if best else []
    if len(content) < _UTF16_BYTES:
        plausible = [encoding for encoding in plausible if encoding not in _UTF16]
    return list(dict.fromkeys([*plausible, *_CHINESE]))
