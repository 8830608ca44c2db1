"""rnnlm/data/tokens/token_cache.py"""

from __future__ import annotations

import logging
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from rnnlm.data.tokens import token_cache
from rnnlm.data.tokens.tokenized import Split, TokenizedCorpus


def corpus(*ids: int) -> TokenizedCorpus:
    split = Split(torch.tensor(ids or (0, 1) * 5), 9, unknown_nats=1.5, begin_id=None)
    return TokenizedCorpus(
        "hash", ["<unk>", "春"], {"春": 0.1 + 0.2}, ["a note"], ["a warning"], {"train": split}
    )


def stored() -> Path:
    token_cache.store("key", corpus())
    return token_cache.cache_directory() / "key"


def test_a_corpus_comes_back() -> None:
    assert token_cache.load("key") is None
    stored()
    loaded = token_cache.load("key")
    assert loaded is not None
    assert loaded.splits["train"].ids_N.tolist() == [0, 1] * 5
    assert (loaded.vocabulary, loaded.notes) == (["<unk>", "春"], ["a note"])
    assert loaded.warnings == ["a warning"]
    assert loaded.spelling == {"春": 0.1 + 0.2}


def test_any_number_of_processes_may_store_the_same() -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: token_cache.store("key", corpus()), range(32)))
    folders = [path.name for path in token_cache.cache_directory().iterdir()]
    assert folders == ["key"]
    assert token_cache.load("key") is not None


def test_what_belongs_to_another_text_is_not_used(caplog: pytest.LogCaptureFixture) -> None:
    folder = stored()
    folder.rename(folder.with_name("other"))
    assert token_cache.load("other") is None
    (record,) = caplog.records
    assert record.getMessage().endswith("other cannot be used (it is key): it is made again")
    assert not folder.with_name("other").exists()


@pytest.mark.parametrize("ids", [(0, 2), (-1, 0)])
def test_tokens_that_the_vocabulary_lacks_are_not_used(ids: tuple[int, ...]) -> None:
    token_cache.store("key", corpus(*ids))
    assert token_cache.load("key") is None


def test_what_a_process_left_that_has_died_is_removed() -> None:
    folder = stored().parent
    pids = os.getpid(), 2**22 + 1  # more than Linux gives
    alive, dead = (folder / f".key.{socket.gethostname()}.{pid}.0123456789abcdef" for pid in pids)
    elsewhere = folder / f".key.not-{socket.gethostname()}.{pids[1]}.0123456789abcdef"
    for path in (alive, dead, elsewhere):
        path.mkdir()
        (path / "train.npy").write_bytes(b"half of it")
    assert token_cache.load("key") is not None
    assert set(folder.iterdir()) == {folder / "key", alive, elsewhere}


@pytest.mark.parametrize("in_its_place", ["a file", "a link", "a folder of somebody else's"])
def test_without_a_folder_of_ones_own_nothing_is_cached(
    in_its_place: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tokens = stored().parent
    if in_its_place == "a folder of somebody else's":
        own = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    else:
        tokens.rename(tmp_path / "tokens")
        if in_its_place == "a link":
            tokens.symlink_to(tmp_path / "tokens")
        else:
            tokens.touch()
    before = sorted(tmp_path.rglob("*"))
    caplog.set_level(logging.INFO)
    assert token_cache.load("key") is None
    token_cache.store("key", corpus())
    assert token_cache.load("key") is None
    (record,) = caplog.records
    assert record.getMessage().startswith("the corpus is not cached")
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_damaged_and_cannot_be_removed_is_done_without(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = stored()
    (folder / "train.npy").write_bytes(b"")

    def refuse(path: Path) -> None:
        raise PermissionError(path)

    monkeypatch.setattr(token_cache, "discard", refuse)
    for _ in range(2):
        assert token_cache.load("key") is None
        token_cache.store("key", corpus())
    assert all("SHA-256 of train.npy differs" in record.getMessage() for record in caplog.records)
