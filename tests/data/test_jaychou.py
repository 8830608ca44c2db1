"""rnnlm/data/jaychou.py"""

from __future__ import annotations

import zipfile
from collections import Counter
from functools import partial
from pathlib import Path

from tests.conftest import ROOT
from tests.support.small_corpora import prepared

SAMPLE = ROOT / "rnnlm" / "data" / "samples" / "jaychou.txt"


made = partial(prepared, "jaychou", batch_size=2, seq_len=4)


def test_the_sample_is_lyrics_with_choruses() -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    lines = text.splitlines()
    assert len(text) >= 12_000
    assert all(lines)
    repeated = sum(count for count in Counter(lines).values() if count > 1) / len(lines)
    assert 0.3 < repeated < 0.5
    assert 8 < len(text) / len(lines) < 14


def test_spaces_for_line_ends_keep_every_character() -> None:
    as_it_is, with_spaces = made(), made(newlines_to_spaces=True)
    assert "\n" in as_it_is.vocabulary.tokens
    assert "\n" not in with_spaces.vocabulary.tokens
    for name, split in as_it_is.splits.items():
        assert split.num_chars == with_spaces.splits[name].num_chars
        assert split.num_tokens == with_spaces.splits[name].num_tokens


def test_the_textbooks_convention(tmp_path: Path) -> None:
    # The file as it circulates: a zip of one UTF-8 text with ideographic spaces and Latin letters.
    with zipfile.ZipFile(tmp_path / "jaychou_lyrics.txt.zip", "w") as archive:
        archive.writestr("jaychou_lyrics.txt", "想要有直升机\n想要和你\u3000飞到宇宙去 Oh\n" * 600)
    source = str(tmp_path / "jaychou_lyrics.txt.zip")
    corpus = made(source=source, max_chars=10_000, newlines_to_spaces=True, min_count=1)
    assert sum(len(split.ids_N) for split in corpus.splits.values()) == 10_000
    assert {"\u3000", "O"} <= set(corpus.vocabulary.tokens)
