"""rnnlm/data/source.py"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.data.source import PublishedFile, decode, fetch, read_bytes, read_text
from rnnlm.options import OptionError

CONTENT = b"A published text.\n"


class CountingServer(ThreadingHTTPServer):
    requests = 0


class CountingHandler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, CountingServer)
        self.server.requests += 1
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[CountingServer]:
    """A real HTTP server on this machine that publishes one file."""
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "text.txt").write_bytes(CONTENT)
    server = CountingServer(("127.0.0.1", 0), partial(CountingHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RNNLM_DATA_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def published(server: ThreadingHTTPServer, content: bytes = CONTENT) -> PublishedFile:
    address = f"http://127.0.0.1:{server.server_port}/text.txt"
    return PublishedFile("folder/text.txt", address, sha256(content).hexdigest())


def test_a_file_is_downloaded_once(server: CountingServer, cache: Path) -> None:
    for _ in range(2):
        path = fetch(published(server))
        assert path == cache / "folder/text.txt"
        assert path.read_bytes() == CONTENT
    assert server.requests == 1


def test_what_is_not_the_expected_file_is_refused_and_not_kept(
    server: CountingServer, cache: Path
) -> None:
    with pytest.raises(OptionError, match=r"data\.source: what .* is not the expected file"):
        fetch(published(server, b"another text"))
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_a_damaged_cache_is_replaced(server: CountingServer, cache: Path) -> None:
    fetch(published(server)).write_bytes(b"damaged")
    assert fetch(published(server)).read_bytes() == CONTENT


def test_without_a_network_the_line_says_what_to_do(cache: Path) -> None:
    nobody = PublishedFile("text.txt", "http://127.0.0.1:9/text.txt", "0" * 64)
    with pytest.raises(OptionError, match=r"use data\.source=sample or data\.source=PATH"):
        fetch(nobody)


def test_the_cache_can_be_read_only(server: CountingServer, cache: Path, tmp_path: Path) -> None:
    fetch(published(server))
    shutil.rmtree(tmp_path / "published")
    (cache / "folder").chmod(0o555)
    assert fetch(published(server)).read_bytes() == CONTENT


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
        assert "\ufffd" not in text or "\ufffd".encode() in content


@given(st.text(min_size=1).filter(lambda text: text.strip() and "\r" not in text))
def test_any_text_comes_back(text: str) -> None:
    assert decode(text.encode(), "some.txt") == text.removeprefix("\ufeff")


def test_a_byte_order_mark_and_line_ends_are_no_text() -> None:
    assert decode(b"\xef\xbb\xbfone\r\ntwo\rthree\n", "some.txt") == "one\ntwo\nthree\n"


def test_the_offset_of_what_is_not_utf8_is_named() -> None:
    with pytest.raises(OptionError, match=r"some\.txt is not UTF-8 text: byte 3 "):
        decode(b"abc\xff", "some.txt")


def test_an_empty_file_holds_no_text() -> None:
    with pytest.raises(OptionError, match=r"some\.txt holds no text"):
        decode(b" \n\n", "some.txt")


def test_a_path_is_the_users_own_file(text_file: Path) -> None:
    nobody = PublishedFile("text.txt", "http://127.0.0.1:9/text.txt", "0" * 64)
    assert read_text(str(text_file), "time_machine.txt", nobody) == text_file.read_text()


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no file"):
        read_bytes(tmp_path / "nope.txt")
    with pytest.raises(OptionError, match="is a folder"):
        read_bytes(tmp_path)
