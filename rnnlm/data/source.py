"""Where a corpus' text comes from: the sample in the package, the published file, or a path.

A source is turned into text once, by `read_text`; what is wrong with it is said in one line.
"""

from __future__ import annotations

import importlib.resources
import os
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests

from rnnlm.options import OptionError

SAMPLE, FULL = "sample", "full"


@dataclass(frozen=True)
class PublishedFile:
    """A file at a fixed address: `name` is its path below the cache directory."""

    name: str
    address: str
    sha256: str


def cache_directory() -> Path:
    """Where downloads are kept: `RNNLM_DATA_DIR`, or the user's own cache directory."""
    return Path(os.environ.get("RNNLM_DATA_DIR") or pooch.os_cache("rnnlm"))


def sample_bytes(name: str) -> bytes:
    """The sample text `name`, written for this project and shipped in the package."""
    return (importlib.resources.files("rnnlm.data") / "samples" / name).read_bytes()


def fetch(file: PublishedFile) -> Path:
    """The published file in the cache, downloaded if it is not there, its SHA-256 verified.

    Raises:
        OptionError: the file can neither be found nor downloaded, or is not the one expected.
    """
    cache = cache_directory()
    downloaded = cache / file.name
    try:
        path = pooch.retrieve(
            url=file.address,
            known_hash=f"sha256:{file.sha256}",
            fname=downloaded.name,
            path=downloaded.parent,
            downloader=pooch.HTTPDownloader(progressbar=True, timeout=30),
        )
    except (requests.exceptions.RequestException, ConnectionError) as error:
        raise OptionError(
            "data.source",
            f"full is not in {cache} and could not be downloaded from {file.address} "
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


def read_bytes(path: Path) -> bytes:
    """The content of the user's own file.

    Raises:
        OptionError: there is no such file, it is a folder, or it cannot be read.
    """
    try:
        return path.expanduser().read_bytes()
    except FileNotFoundError as error:
        raise OptionError(
            "data.source", f"no file {path}; it takes sample, full or the path of a text"
        ) from error
    except IsADirectoryError as error:
        raise OptionError("data.source", f"{path} is a folder, a text file is needed") from error
    except OSError as error:
        raise OptionError("data.source", f"{path} cannot be read ({error.strerror})") from error


def decode(content: bytes, name: str) -> str:
    r"""The text of a UTF-8 file, with or without a byte order mark, lines ending in ``\n``.

    Raises:
        OptionError: the file is not UTF-8 (the offset is named), or holds no text.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OptionError(
            "data.source", f"{name} is not UTF-8 text: byte {error.start} cannot be decoded"
        ) from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise OptionError("data.source", f"{name} holds no text")
    return text


def read_text(source: str, sample: str, published: PublishedFile) -> str:
    """The text that `data.source` names: `sample`, `full`, or else a path.

    Raises:
        OptionError: the source cannot be had or read as text.
    """
    if source == SAMPLE:
        return decode(sample_bytes(sample), sample)
    if source == FULL:
        return decode(fetch(published).read_bytes(), published.name)
    return decode(read_bytes(Path(source)), source)
