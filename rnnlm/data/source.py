"""Where a corpus comes from: the sample in the package, the published files, or the user's path.

A source is read into `File`s: names and bytes. What cannot be had or read is said in one line.
"""

from __future__ import annotations

import importlib.resources
import io
import os
import sys
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
    """The user's own file, or the texts in a folder or a zip.

    Raises:
        OptionError: there is nothing to read, or it cannot be read.
    """
    try:
        if path.is_dir():
            found = sorted(
                p for p in path.iterdir() if p.suffix.lower() in suffixes and _is_visible(p.name)
            )
            if not found:
                raise _holds_none(f"the folder {path}", suffixes)
            return [File(p.name, p.read_bytes()) for p in found]
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise OptionError(
            "data.source", f"no file {path}; it takes sample, full or the path of a text"
        ) from error
    except IsADirectoryError as error:
        raise OptionError("data.source", f"{error.filename} is a folder, not a text") from error
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        reason = error.strerror if isinstance(error, OSError) else error
        raise OptionError("data.source", f"{path} cannot be read ({reason})") from error
    return _unpacked(File(path.name, content), suffixes)


def read_file(path: Path) -> File:
    """One file of text.

    Raises:
        OptionError: there is none, it is something else, or it cannot be read.
    """
    try:
        if not path.exists():
            raise OptionError("data.source", f"no file {path}")
        if path.is_dir() or path.suffix.lower() == ".zip":
            kind = "folder" if path.is_dir() else "zip"
            raise OptionError("data.source", f"{path} is a {kind}, it takes one file of text")
        if not path.is_file():
            raise OptionError("data.source", f"{path} is no file that can be read twice")
        size = path.stat().st_size
        if size > _LARGEST_TEXT:
            raise OptionError("data.source", f"{path} is larger than 1 GiB ({size:,} bytes)")
        return File(path.name, path.read_bytes())
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        reason = error.strerror if isinstance(error, OSError) else error
        raise OptionError("data.source", f"{path} cannot be read ({reason})") from error


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
            members = [m for m in archive.infolist() if not m.is_dir() and _is_visible(m.filename)]
            for member in members:
                parts = PurePosixPath(member.filename.replace("\\", "/"))
                if parts.is_absolute() or ".." in parts.parts or ":" in member.filename[:2]:
                    raise OptionError(
                        "data.source",
                        f"{name} holds {member.filename!r}, a path that leads out of it",
                    )
            texts = [m for m in members if PurePosixPath(m.filename).suffix.lower() in suffixes]
            if not texts:
                raise _holds_none(name, suffixes)
            if sum(member.file_size for member in texts) > _LARGEST_TEXT:
                raise OptionError("data.source", f"{name} unpacks to more than 1 GiB")
            texts.sort(key=lambda member: member.filename)
            return [File(f"{name}/{m.filename}", archive.read(m)) for m in texts]
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        # A password or an unknown method of compression is a RuntimeError.
        raise OptionError("data.source", f"{name} is no zip that can be read ({error})") from error


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
