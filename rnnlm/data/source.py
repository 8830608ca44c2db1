"""Where a corpus comes from: the sample in the package, the published files, or the user's path.

A source is read into `File`s: names and bytes. What cannot be had or read is said in one line.
"""

from __future__ import annotations

import importlib.resources
import io
import lzma
import os
import re
import stat
import struct
import sys
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

import pooch
import requests
from tqdm import tqdm

from rnnlm.options import OptionError

SAMPLE, FULL = "sample", "full"
# A text, or all that a zip unpacks to, may not be larger: it is held in memory, many times over.
_LARGEST_TEXT = 2**30
_TOO_LARGE = "is larger than 1 GiB, more than is held in memory; give a part of it"
_BLOCK = 2**14
# A zip's flag for a member whose path is UTF-8.
_UTF8_PATH = 0x800
# What reading a damaged zip raises; a password or an unknown method is a RuntimeError.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    OverflowError,
    struct.error,
)
_DIGITS = re.compile(r"(\d+)")
_CHINESE_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "两": 2,
    "兩": 2,
}
_UNITS = {"十": 10, "百": 100, "千": 1000}
# Of chapters alone: a title may begin with a number that is none.
_CHINESE_NUMBER = re.compile("(?<=第)[零〇一二三四五六七八九两兩十百千]{1,9}")


@dataclass(frozen=True)
class File:
    """A file's name, for messages and ordering, and what is in it."""

    name: str
    content: bytes


@dataclass(frozen=True)
class PublishedFile:
    """A file at a fixed address: `name` is its path below the cache directory."""

    name: str
    address: str
    sha256: str


def data_directory() -> Path:
    """Where downloads are kept: `RNNLM_DATA_DIR`, or the user's own cache directory."""
    return Path(os.environ.get("RNNLM_DATA_DIR") or pooch.os_cache("rnnlm"))


def read_source(
    source: str, sample: str, published: Sequence[PublishedFile], suffixes: tuple[str, ...]
) -> list[File]:
    """The files that `data.source` names: `sample`, `full`, or else a path, ordered by name.

    Args:
        sample: the file or folder below `samples/`.
        published: what `full` is.
        suffixes: of a folder or a zip, the files that end in one of these are read.

    Raises:
        OptionError: the source cannot be had or read.
    """
    if not source.strip():
        raise OptionError("data.source", "it is empty, it takes sample, full or a path")
    if source == SAMPLE and not sample:
        raise OptionError("data.source", "this corpus has no sample, it takes the path of a text")
    if source == FULL and not published:
        raise OptionError("data.source", "this corpus is not published, it takes a path")
    if source == SAMPLE:
        return _sample(importlib.resources.files("rnnlm.data") / "samples" / sample)
    if source == FULL:
        found = [File(file.name, path.read_bytes()) for file, path in _fetch_all(published)]
        return [text for file in found for text in _unpacked(file, suffixes)]
    return read_path(Path(source).expanduser(), suffixes)


def read_path(path: Path, suffixes: tuple[str, ...]) -> list[File]:
    """The user's own file, or the texts in a folder or a zip, numbers in names in their order.

    Raises:
        OptionError: there is nothing to read, or it cannot be read.
    """
    try:
        if not path.is_dir():
            return _unpacked(_read(path, path.name), suffixes)
        found = [p for p in path.iterdir() if p.suffix.lower() in suffixes and _is_visible(p.name)]
        if not found:
            raise _holds_none(f"the folder {path}", suffixes)
        found.sort(key=lambda path: reading_order(path.name))
        for entry in found:
            if not entry.exists():
                raise OptionError("data.source", f"{entry} is a link to a file that is not there")
        if sum(entry.stat().st_size for entry in found) > _LARGEST_TEXT:
            raise OptionError("data.source", f"the folder {path} {_TOO_LARGE}")
        return [_read(entry, entry.name) for entry in found]
    except FileNotFoundError as error:
        raise OptionError(
            "data.source", f"no file {path}; it takes sample, full or the path of a text"
        ) from error
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        reason = error.strerror if isinstance(error, OSError) else error
        raise OptionError("data.source", f"{path} cannot be read ({reason})") from error


def read_file(path: Path) -> File:
    """One file of text, no folder and no zip.

    Raises:
        OptionError: there is none, it is something else, or it cannot be read.
    """
    try:
        if not path.exists():
            raise OptionError("data.source", f"no file {path}")
        if path.is_dir() or path.suffix.lower() == ".zip":
            kind = "folder" if path.is_dir() else "zip"
            raise OptionError("data.source", f"{path} is a {kind}, it takes one file of text")
        return _read(path, path.name)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise OptionError("data.source", f"{path} cannot be read ({reason})") from error


def _read(path: Path, name: str) -> File:
    """A file that is there again when it is next read, and fits in memory.

    Raises:
        OptionError: it is something else.
        OSError: it cannot be read.
    """
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise OptionError("data.source", f"{path} is a folder, not a text")
    if not stat.S_ISREG(status.st_mode) or _is_of_this_process(path):
        raise OptionError("data.source", f"{path} is no file that can be read twice")
    size = status.st_size
    if size > _LARGEST_TEXT:
        raise OptionError("data.source", f"{path} {_TOO_LARGE} ({size:,} bytes)")
    return File(name, path.read_bytes())


def _is_of_this_process(path: Path) -> bool:
    """Whether a path stands for an open file, which may be another one in the next process."""
    return str(path.absolute()).startswith(("/dev/stdin", "/dev/fd/", "/proc/"))


def reading_order(name: str) -> tuple[list[tuple[int, str]], str]:
    """The key that sorts names as a reader would: numbers, `第十二回` too, in their order."""
    name = _CHINESE_NUMBER.sub(lambda found: str(_value(found[0])), name)
    key = []
    # Texts and numbers take turns.
    for index, part in enumerate(_DIGITS.split(name)):
        if index % 2:
            part = "".join(str(unicodedata.digit(digit)) for digit in part).lstrip("0")
        # A longer number is larger, however long it is.
        key.append((len(part) if index % 2 else 0, part))
    return key, name


def _value(number: str) -> int:
    """A Chinese number below ten thousand, in words or digit by digit."""
    if not set(number) & set(_UNITS):
        return int("".join(str(_CHINESE_DIGITS[digit]) for digit in number))
    total = digit = 0
    for sign in number:
        if sign in _UNITS:
            total, digit = total + (digit or 1) * _UNITS[sign], 0
        else:
            digit = _CHINESE_DIGITS[sign]
    return total + digit


def _unpacked(file: File, suffixes: tuple[str, ...]) -> list[File]:
    is_zip = file.name.lower().endswith(".zip")
    return unzip(file.content, file.name, suffixes) if is_zip else [file]


def unzip(content: bytes, name: str, suffixes: tuple[str, ...]) -> list[File]:
    """The texts in a zip, in memory: nothing is unpacked to the disk.

    Raises:
        OptionError: it is no zip, is damaged or too large, holds no text, or a member's path leads
            out of it.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [
                (member, path)
                for member in archive.infolist()
                if not member.is_dir() and _is_visible(path := _member_path(member))
            ]
            for _, path in members:
                parts = PurePosixPath(path.replace("\\", "/"))
                if parts.is_absolute() or ".." in parts.parts or ":" in path[:2]:
                    raise OptionError(
                        "data.source", f"{name} holds {path[:200]!r}, a path that leads out of it"
                    )
            texts = [(m, p) for m, p in members if PurePosixPath(p).suffix.lower() in suffixes]
            if not texts:
                raise _holds_none(name, suffixes)
            if sum(member.file_size for member, _ in texts) > _LARGEST_TEXT:
                raise OptionError("data.source", f"{name} unpacks to more than 1 GiB")
            texts.sort(key=lambda text: reading_order(text[1]))
            return [File(f"{name}/{path}", _member(archive, member)) for member, path in texts]
    except _DAMAGED as error:
        raise OptionError("data.source", f"{name} is no zip that can be read ({error})") from error


def _member_path(member: zipfile.ZipInfo) -> str:
    """A member's path; one not marked as UTF-8 may be in GBK, as on Chinese systems."""
    if member.flag_bits & _UTF8_PATH:
        return member.filename
    try:
        raw = member.filename.encode("cp437")  # what Python takes it for
    except UnicodeEncodeError:
        return member.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """A member's content, read bit by bit: its size may be a lie."""
    with archive.open(member) as file:
        return b"".join(iter(lambda: file.read(_BLOCK), b""))


def _holds_none(place: str, suffixes: tuple[str, ...]) -> OptionError:
    expected = " or ".join(f"*{suffix}" for suffix in suffixes)
    return OptionError("data.source", f"{place} holds no {expected}")


def _is_visible(name: str) -> bool:
    """Not one of the files that systems leave beside the real ones."""
    parts = PurePosixPath(name).parts
    return not parts[-1].startswith(".") and "__MACOSX" not in parts


def _sample(location: Traversable) -> list[File]:
    """The sample's file, or its folder's files, written for this project."""
    if location.is_file():
        return [File(location.name, location.read_bytes())]
    files = [File(entry.name, entry.read_bytes()) for entry in location.iterdir()]
    return sorted(files, key=lambda file: file.name)


def _fetch_all(published: Sequence[PublishedFile]) -> list[tuple[PublishedFile, Path]]:
    """All files, with one bar where there are many to download."""
    missing = [file for file in published if not (data_directory() / file.name).exists()]
    many = len(missing) > 1
    fetched = []
    for file in tqdm(
        published, unit="file", disable=None if many else True, desc="downloading", leave=False
    ):
        fetched.append((file, fetch(file, progress=not many)))
    return fetched


def fetch(file: PublishedFile, progress: bool = True) -> Path:
    """The published file in the cache, downloaded if it is not there, its SHA-256 verified.

    Raises:
        OptionError: the file can neither be found nor downloaded, or is not the one expected.
    """
    downloaded = data_directory() / file.name
    if not progress:
        pooch.get_logger().setLevel("WARNING")
    try:
        path = pooch.retrieve(
            url=file.address,
            known_hash=f"sha256:{file.sha256}",
            fname=downloaded.name,
            path=downloaded.parent,
            downloader=pooch.HTTPDownloader(
                progressbar=progress and sys.stderr.isatty(), timeout=30
            ),
        )
    except (requests.exceptions.RequestException, ConnectionError) as error:
        raise OptionError(
            "data.source",
            f"full is not in {data_directory()} and could not be downloaded from {file.address} "
            f"({type(error).__name__}); use data.source=sample or data.source=PATH",
        ) from error
    except ValueError as error:
        raise OptionError(
            "data.source",
            f"what {file.address} sent is not the expected file (its SHA-256 differs); "
            "use data.source=sample or data.source=PATH",
        ) from error
    except OSError as error:
        raise OptionError(
            "data.source",
            f"the cache {downloaded.parent} cannot be used ({error.strerror}); "
            "set RNNLM_DATA_DIR to a folder that can be written",
        ) from error
    return Path(path)
