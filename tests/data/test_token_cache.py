"""rnnlm/data/token_cache.py"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from rnnlm.data import token_cache
from rnnlm.data.token_cache import TokenisedCorpus, TokenisedSplit


def corpus() -> TokenisedCorpus:
    split = TokenisedSplit(np.arange(10, dtype=np.int32), num_chars=9, unknown_nats=1.5)
    return TokenisedCorpus("hash", ["<unk>", "春"], {"春": 0.1 + 0.2}, ["a note"], {"train": split})


def test_a_corpus_comes_back_mapped_into_memory() -> None:
    assert token_cache.load("key") is None
    token_cache.store("key", corpus())
    loaded = token_cache.load("key")
    assert loaded is not None
    assert isinstance(loaded.splits["train"].ids, np.memmap)
    assert loaded.splits["train"].ids.tolist() == list(range(10))
    assert (loaded.vocabulary, loaded.notes) == (["<unk>", "春"], ["a note"])
    assert loaded.spelling == {"春": 0.1 + 0.2}


def test_any_number_of_processes_may_store_the_same() -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: token_cache.store("key", corpus()), range(32)))
    folders = [path.name for path in token_cache.cache_directory().iterdir()]
    assert folders == ["key"]
    assert token_cache.load("key") is not None
