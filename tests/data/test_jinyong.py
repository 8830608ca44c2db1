"""rnnlm/data/jinyong.py, on files as download sites leave them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.data.jinyong import INDENT, JinYong, JinYongConfig, SplitBy
from rnnlm.data.texts.advertisements import remove_advertisements
from rnnlm.data.texts.splitting import SPLITS
from rnnlm.data.tokens.vocabulary import BEGIN_ID
from rnnlm.options import OptionError
from tests.conftest import ROOT
from tests.support.small_corpora import prepared, untrained

SAMPLE = ROOT / "rnnlm" / "data" / "samples" / "jinyong"
NAMES = ROOT / "rnnlm" / "data" / "samples" / "jinyong_names.txt"

ADVERTISEMENTS = "本书来自www.cr173.com免费txt小说下载站\n更多更新免费电子书请关注www.cr173.com\n"


made = partial(prepared, "jinyong", batch_size=2, seq_len=4, min_count=1)


@pytest.fixture
def novels(tmp_path: Path) -> Path:
    """A folder as users have it: GB18030, advertisements, CRLF, and a list of titles."""
    for number, path in enumerate(sorted(SAMPLE.iterdir())):
        text = (ADVERTISEMENTS if number == 0 else "") + path.read_text(encoding="utf-8")
        (tmp_path / path.name).write_bytes(text.replace("\n", "\r\n").encode("gb18030"))
    (tmp_path / "inf.txt").write_bytes("鹭口秤,松烟墨".encode("gb18030"))
    return tmp_path


def test_the_sample_is_two_tales() -> None:
    texts = [path.read_text(encoding="utf-8") for path in SAMPLE.iterdir()]
    assert sum(map(len, texts)) >= 12_000
    for text in texts:
        lines = text.splitlines()
        headings = [line for line in lines if line.startswith("第")]
        assert len(headings) >= 5
        assert all(line.startswith(INDENT) for line in lines if line not in headings)
    names = NAMES.read_text(encoding="utf-8").split()
    assert all("".join(texts).count(name) >= 3 for name in names)


def test_the_dirt_of_a_real_folder_is_removed(novels: Path) -> None:
    clean, dirty = made(), made(source=str(novels))
    assert dirty.text_sha256 == clean.text_sha256
    assert dirty.vocabulary.tokens == clean.vocabulary.tokens
    assert dirty.notes == [
        "read 2 files in GB18030: 24,891 characters, 54 of them taken off",
        "2 novels; 2 advertisements removed, 54 characters",
    ]


def test_the_tokens_are_the_cleaned_text() -> None:
    corpus = made()
    texts = [
        remove_advertisements(path.read_text(encoding="utf-8"))[0]
        for path in sorted(SAMPLE.iterdir())
    ]
    for tokens, text in zip(corpus.definition.tokenize(texts), texts, strict=True):
        assert "".join(tokens) == text
        assert INDENT in tokens
        assert "\n" in tokens


@settings(deadline=None)  # jieba loads its dictionary in the first
@given(st.text(alphabet=st.sampled_from("青禾道：“！”\u3000\n 第一回a1"), max_size=60))
def test_any_tokens_are_their_text(text: str) -> None:
    (tokens,) = JinYong(JinYongConfig(name="jinyong")).tokenize([text])
    assert "".join(tokens) == text


def test_novels_have_boundaries_and_each_is_cut_by_proportion() -> None:
    corpus = made()
    for name in SPLITS:
        ids = corpus.splits[name].ids_N
        assert int((ids == BEGIN_ID).sum()) == 2


def test_two_novels_are_not_the_one_that_holds_both(tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    texts = [f"　　{name}的故事，说来话长。\n" * 40 for name in ("甲", "乙")]
    for number, text in enumerate(texts):
        (tmp_path / "two" / f"{number}.txt").write_text(text, encoding="utf-8")
    (tmp_path / "one.txt").write_text("\n".join(texts), encoding="utf-8")
    two, one = made(source=str(tmp_path / "two")), made(source=str(tmp_path / "one.txt"))
    assert two.text_sha256 != one.text_sha256


def test_whole_novels_are_held_out(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.txt").write_text(
            f"第{number}部小说的正文。\n" * 20, encoding="utf-8"
        )
    fractions = {"validation_fraction": 0.2, "test_fraction": 0.2}
    corpus = made(source=str(tmp_path), split_by=SplitBy.novel, **fractions)
    counts = [int((corpus.splits[name].ids_N == BEGIN_ID).sum()) for name in SPLITS]
    assert counts == [3, 1, 1]
    with pytest.raises(OptionError, match=r"data\.split_by: novel needs more than 2 novels"):
        made(split_by=SplitBy.novel)


def test_names_can_be_taught(tmp_path: Path) -> None:
    plain, extended = made(), made(user_dict=str(NAMES))
    assert "闻人鹊" not in plain.vocabulary.tokens
    assert "闻人鹊" in extended.vocabulary.tokens
    # Another dictionary makes other tokens of the same text, whatever its path.
    assert plain.text_sha256 == extended.text_sha256
    assert plain.identity != extended.identity
    copy = tmp_path / "copy.txt"
    copy.write_bytes(NAMES.read_bytes())
    assert made(user_dict=str(copy)).identity == extended.identity
    with pytest.raises(OptionError, match=r"data\.user_dict: .* cannot be read"):
        made(user_dict=str(tmp_path / "nope.txt"))


def test_a_smaller_vocabulary_has_more_unknown_words_and_pays_for_them() -> None:
    large, small = made(), made(max_vocab=200)
    assert len(small.vocabulary) == 203
    assert small.unknown_rate > large.unknown_rate
    assert small.splits["test"].unknown_nats > large.splits["test"].unknown_nats


def test_words_typed_by_hand_are_those_of_the_dictionary() -> None:
    text = "\u3000\u3000闻人鹊笑道\r\n"
    plain, extended = (
        untrained(JinYong(JinYongConfig(user_dict=path))) for path in (None, str(NAMES))
    )
    assert extended.prompt_tokens(text) == [INDENT, "闻人鹊", "笑", "道", "\n"]
    assert "闻人鹊" not in plain.prompt_tokens(text)
    assert "".join(plain.prompt_tokens(text)) == text.replace("\r", "")


def test_full_cannot_be_had() -> None:
    with pytest.raises(OptionError, match=r"under copyright; give data\.source=FOLDER"):
        made(source="full")


def test_a_folder_without_a_novel_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inf.txt").write_text("只有目录", encoding="utf-8")
    with pytest.raises(OptionError, match="holds no novel"):
        made(source=str(tmp_path))
    (tmp_path / "a.txt").write_text(ADVERTISEMENTS, encoding="utf-8")
    with pytest.raises(OptionError, match="holds no novel"):
        made(source=str(tmp_path))
