"""rnnlm/data/segmentation.py"""

from __future__ import annotations

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
