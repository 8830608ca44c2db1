"""The source of a corpus: the sample in the package, the published files, or the user's path.

A source is read into `File`s: names and bytes. What cannot be read is reported in one line.
"""

from __future__ import annotations

import contextlib
import importlib.resources
import io
import lzma
import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

import pooch
import requests
from tqdm import tqdm

from rnnlm.options import OptionError

SAMPLE, FULL = "sample", "full"
# The largest text, or content of a zip, in bytes: it is held in memory several times over.
_LARGEST_TEXT = 2**30
_TOO_LARGE = "is larger than 1 GiB, more than is held in memory; give a part of it"
_BLOCK = 2**14
# The flag of a zip's member whose path is UTF-8.
_UTF8_PATH = 0x800
# A damaged zip raises any of these; a password or an unknown method raises a RuntimeError.
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
# Paths that stand for an open file, which may be another one in the next process.
_OPEN_FILES = ("/dev/stdin", "/dev/fd/", "/proc/")
_DIGITS = re.compile(r"(\d+)")
# Only a chapter's number: a title may begin with a word that looks like a number.
_CHINESE_NUMBER = re.compile("(?<=第)[零〇一二三四五六七八九两兩十百千]{1,9}")


class SourceError(OptionError):
    """The source of a corpus cannot be used."""

    def __init__(self, problem: str) -> None:
        super().__init__("data.source", problem)


@dataclass(frozen=True)
class File:
    """A file's name, for messages and ordering, and its bytes."""

    name: str
    content: bytes


def data_directory() -> Path:
    """The folder of downloads: `RNNLM_DATA_DIR`, or the user's own cache directory."""
    return Path(os.environ.get("RNNLM_DATA_DIR") or pooch.os_cache("rnnlm"))


def read_source(source: str, sample: str, published: str, suffixes: tuple[str, ...]) -> list[File]:
    """Return the files that `data.source` names: `sample`, `full`, or else a path.

    Args:
        sample: a file or folder below `samples/`.
        published: the files that `full` stands for, see `fetch`.
        suffixes: the endings of the files that are read from a folder or a zip.

    Raises:
        OptionError: the source cannot be read.
    """
    if not source.strip():
        raise SourceError("it is empty, it takes sample, full or a path")
    if source == SAMPLE:
        if not sample:
            raise SourceError("this corpus has no sample, it takes a path")
        return _sample(importlib.resources.files("rnnlm.data") / "samples" / sample)
    if source == FULL:
        if not published:
            raise SourceError("this corpus is not published, it takes a path")
        return [text for file in fetch(published) for text in _unpacked(file, suffixes)]
    return read_path(Path(source).expanduser(), suffixes)


def read_path(path: Path, suffixes: tuple[str, ...]) -> list[File]:
    """Return the user's file, or the text files in a folder or a zip in `reading_order`.

    Raises:
        OptionError: there is nothing to read, or it cannot be read.
    """
    with _refusing_unreadable(path):
        if not path.is_dir():
            if not path.exists():
                raise SourceError(f"no file {path}; it takes sample, full or the path of a text")
            return _unpacked(_read(path), suffixes)
        found = [p for p in path.iterdir() if p.suffix.lower() in suffixes and _is_visible(p.name)]
        if not found:
            raise _holds_none(f"the folder {path}", suffixes)
        found.sort(key=lambda path: reading_order(path.name))
        for entry in found:
            if not entry.exists():
                raise SourceError(f"{entry} is a link to a file that is not there")
        if sum(entry.stat().st_size for entry in found) > _LARGEST_TEXT:
            raise SourceError(f"the folder {path} {_TOO_LARGE}")
        return list(map(_read, found))


def read_file(path: Path) -> File:
    """Return one file of text, neither a folder nor a zip.

    Raises:
        OptionError: there is none, it is something else, or it cannot be read.
    """
    with _refusing_unreadable(path):
        if not path.exists():
            raise SourceError(f"no file {path}")
        if path.is_dir() or path.suffix.lower() == ".zip":
            kind = "folder" if path.is_dir() else "zip"
            raise SourceError(f"{path} is a {kind}, it takes one file of text")
        return _read(path)


@contextlib.contextmanager
def _refusing_unreadable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        reason = error.strerror if isinstance(error, OSError) else error
        raise SourceError(f"{path} cannot be read ({reason})") from error


def _read(path: Path) -> File:
    """Return a file that fits in memory and is still there when it is next read."""
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise SourceError(f"{path} is a folder, not a text")
    if not stat.S_ISREG(status.st_mode) or str(path.absolute()).startswith(_OPEN_FILES):
        raise SourceError(f"{path} is no file that can be read twice")
    if status.st_size > _LARGEST_TEXT:
        raise SourceError(f"{path} {_TOO_LARGE} ({status.st_size:,} bytes)")
    return File(path.name, path.read_bytes())


def reading_order(name: str) -> tuple[list[tuple[int, str]], str]:
    """Return the key that sorts names as a reader would: by their numbers, `第十二回` too."""
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
    """Return a Chinese number below ten thousand, written in words or digit by digit."""
    # Unicode gives 两, another way to write 二, no value.
    values = [int(unicodedata.numeric(sign)) for sign in number.replace("两", "二")]
    if max(values) < 10:
        return int("".join(map(str, values)))
    total = digit = 0
    for value in values:
        if value < 10:
            digit = value
        else:
            total, digit = total + (digit or 1) * value, 0
    return total + digit


def _unpacked(file: File, suffixes: tuple[str, ...]) -> list[File]:
    is_zip = file.name.lower().endswith(".zip")
    return unzip(file.content, file.name, suffixes) if is_zip else [file]


def unzip(content: bytes, name: str, suffixes: tuple[str, ...]) -> list[File]:
    """Return the text files in a zip; nothing is unpacked to the disk.

    Raises:
        OptionError: it is not a zip, is damaged or too large, holds no text, or a member's path
            leads out of it.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            # A member of a damaged archive may have no name.
            files = [m for m in archive.infolist() if m.filename and not m.is_dir()]
            members = [(path, m) for m in files if _is_visible(path := _member_path(m))]
            for path, _ in members:
                parts = PurePosixPath(path.replace("\\", "/"))
                if parts.is_absolute() or ".." in parts.parts or ":" in path[:2]:
                    raise SourceError(f"{name} holds {path[:200]!r}, a path that leads out of it")
            texts = [(p, m) for p, m in members if PurePosixPath(p).suffix.lower() in suffixes]
            if not texts:
                raise _holds_none(name, suffixes)
            if sum(member.file_size for _, member in texts) > _LARGEST_TEXT:
                raise SourceError(f"{name} unpacks to more than 1 GiB")
            texts.sort(key=lambda text: reading_order(text[0]))
            return [File(f"{name}/{path}", _member(archive, member)) for path, member in texts]
    except _DAMAGED as error:
        raise SourceError(f"{name} is no zip that can be read ({error})") from error


def _member_path(member: zipfile.ZipInfo) -> str:
    """Return a member's path; one not marked as UTF-8 may be in GBK, as on Chinese systems."""
    if member.flag_bits & _UTF8_PATH:
        return member.filename
    for encoding in ("utf-8", "gb18030"):
        with contextlib.suppress(UnicodeError):
            return member.filename.encode("cp437").decode(encoding)  # Python decoded it as cp437
    return member.filename


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Return a member's content, read block by block: the size that it claims may be false."""
    with archive.open(member) as file:
        return b"".join(iter(lambda: file.read(_BLOCK), b""))


def _holds_none(place: str, suffixes: tuple[str, ...]) -> OptionError:
    expected = " or ".join(f"*{suffix}" for suffix in suffixes)
    return SourceError(f"{place} holds no {expected}")


def _is_visible(name: str) -> bool:
    """Return False for a file that a system leaves beside the real ones."""
    parts = PurePosixPath(name).parts
    return not parts[-1].startswith(".") and "__MACOSX" not in parts


def _sample(location: Traversable) -> list[File]:
    entries = [location] if location.is_file() else location.iterdir()
    return sorted((File(e.name, e.read_bytes()) for e in entries), key=lambda file: file.name)


def fetch(published: str) -> list[File]:
    """Return the published files, downloaded unless they are in the cache, their SHA-256 verified.

    Args:
        published: a registry of pooch, lines of "name SHA-256 address"; a name is the file's path
            below the cache directory.
    """
    directory = data_directory()
    files = pooch.Pooch(directory, base_url="")
    files.load_registry(io.StringIO(published))
    pooch.get_logger().setLevel("WARNING")  # one bar stands for all files
    is_complete = all((directory / name).exists() for name in files.registry)
    found = []
    for name in tqdm(
        files.registry, "downloading", leave=False, disable=True if is_complete else None
    ):
        address = files.get_url(name)
        try:
            path = files.fetch(name, downloader=pooch.HTTPDownloader(timeout=30))
            found.append(File(name, Path(path).read_bytes()))
        except (requests.exceptions.RequestException, ConnectionError) as error:
            raise SourceError(
                f"full is not in {directory} and could not be downloaded from {address} "
                f"({type(error).__name__}); use data.source=sample or data.source=PATH"
            ) from error
        except ValueError as error:
            raise SourceError(
                f"what {address} sent is not the expected file (its SHA-256 differs); "
                "use data.source=sample or data.source=PATH"
            ) from error
        except OSError as error:
            raise SourceError(
                f"the cache {(directory / name).parent} cannot be used ({error.strerror}); "
                "set RNNLM_DATA_DIR to a folder that can be written"
            ) from error
    return found
