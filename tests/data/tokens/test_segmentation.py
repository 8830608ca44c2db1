"""rnnlm/data/tokens/segmentation.py"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

import jieba
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.data.tokens import segmentation
from rnnlm.data.tokens.segmentation import IN_WORDS, JiebaTokenizer, chunked, segment
from tests.conftest import ROOT

FOLDER = ROOT / "rnnlm" / "data" / "samples" / "jinyong"
TEXTS = [path.read_text(encoding="utf-8") for path in sorted(FOLDER.iterdir())]
# jieba itself, but for its cache.
JIEBA = JiebaTokenizer()


def test_jieba_looks_at_runs_of_these_characters() -> None:
    same = re.compile(f"[{IN_WORDS}]")
    for character in map(chr, range(sys.maxunicode + 1)):
        assert bool(jieba.re_han_default.match(character)) == bool(same.match(character))


def test_chunks_are_together_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmentation, "_CHUNK_CHARS", 500)
    for text in (*TEXTS, "", "no line end", "\n\n", "说" * 20_000):
        chunks = list(chunked(text))
        assert "".join(chunks) == text
        assert all(500 <= len(chunk) <= 500 + segmentation.LONGEST_STRETCH for chunk in chunks[:-1])


@settings(deadline=None)
@given(st.text(st.sampled_from("青禾道人说了一回a1.-：“！\u3000 \r\n·㐀")), st.integers(1, 20))
def test_chunks_have_the_words_of_the_whole(text: str, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segmentation, "_CHUNK_CHARS", size)
        assert segment([text]) == [JIEBA.lcut(text)]


def test_a_long_run_has_the_same_words_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmentation, "LONGEST_STRETCH", 50)
    run = re.sub(f"[^{IN_WORDS}]", "", TEXTS[0])[:500]
    (alone,), (after,) = segment([run]), segment([f"话说：{run}。"])
    assert "".join(alone) == run
    assert after == [*JIEBA.lcut("话说："), *alone, "。"]
    assert len(set(alone) - set(JIEBA.lcut(run))) < 10


def test_many_processes_find_the_words_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmentation, "_CHUNK_CHARS", 2_000)
    monkeypatch.setattr(segmentation, "_WORTH_A_PROCESS", 0)
    assert segment(TEXTS) == [JIEBA.lcut(text) for text in TEXTS]


def test_a_dictionary_is_loaded_once_and_again_when_its_words_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded = []

    class Counting(JiebaTokenizer):
        def initialize(self, dictionary: str | None = None) -> None:
            loaded.extend([] if self.initialized else [self])
            super().initialize(dictionary)

    monkeypatch.setattr(segmentation, "_loaded", None)
    monkeypatch.setattr(segmentation, "JiebaTokenizer", Counting)
    text = "闻人鹊说"
    assert segment([text]) == [["闻人", "鹊", "说"]]
    for _ in range(3):
        assert segment([text], [("闻人鹊", None)]) == [["闻人鹊", "说"]]
    assert len(loaded) == 2
    assert segment([text], [("鹊说", None)]) == [["闻人", "鹊说"]]
    assert segment([text]) == [["闻人", "鹊", "说"]]


def test_a_word_taken_out_of_the_dictionary_is_back_without_it() -> None:
    text = "他免不了一死。"
    with_it, without = segment([text]), segment([text], [("免不了", 0)])
    assert "免不了" in with_it[0]
    assert "免不了" not in without[0]
    assert segment([text]) == with_it


def test_the_common_temporary_folder_is_neither_read_nor_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(segmentation, "_loaded", None)
    (tmp_path / "jieba.cache").write_bytes(b"anything")
    assert segment(["闻人鹊说"]) == [["闻人", "鹊", "说"]]
    assert [path.name for path in tmp_path.iterdir()] == ["jieba.cache"]
    assert (tmp_path / "jieba.cache").read_bytes() == b"anything"
