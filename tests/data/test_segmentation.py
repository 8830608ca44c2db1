"""rnnlm/data/segmentation.py"""

from __future__ import annotations

from typing import Any

import jieba
import pytest

from rnnlm.data import segmentation
from rnnlm.data.segmentation import chunked, segment
from tests.conftest import ROOT

FOLDER = ROOT / "rnnlm" / "data" / "samples" / "jinyong"
TEXTS = [path.read_text(encoding="utf-8") for path in sorted(FOLDER.iterdir())]


def test_chunks_are_whole_lines_and_together_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmentation, "_CHUNK_CHARS", 500)
    for text in (*TEXTS, "", "no line end", "\n\n"):
        chunks = list(chunked(text))
        assert "".join(chunks) == text
        assert all(chunk.endswith("\n") for chunk in chunks[:-1])


def test_many_processes_find_the_words_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmentation, "_CHUNK_CHARS", 2_000)
    monkeypatch.setattr(segmentation, "_WORTH_A_PROCESS", 0)
    assert segment(TEXTS) == [jieba.lcut(text) for text in TEXTS]


def test_a_dictionary_is_loaded_once_and_again_when_its_words_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded = []

    class Counting(jieba.Tokenizer):  # type: ignore[misc]
        def load_userdict(self, file: Any) -> None:
            loaded.append(file)
            super().load_userdict(file)

    monkeypatch.setattr(segmentation, "_loaded", None)
    monkeypatch.setattr(jieba, "Tokenizer", Counting)
    text = "闻人鹊说"
    assert segment([text]) == [["闻人", "鹊", "说"]]
    for _ in range(3):
        assert segment([text], "闻人鹊\n".encode()) == [["闻人鹊", "说"]]
    assert len(loaded) == 1
    assert segment([text], "鹊说\n".encode()) == [["闻人", "鹊说"]]
    assert len(loaded) == 2
    assert segment([text]) == [["闻人", "鹊", "说"]]
