"""rnnlm/data/streaming.py, on every corpus there is: a file in pieces is the file read whole."""

from __future__ import annotations

import itertools
import json
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import opencc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.data import corpora, encoding
from rnnlm.data.batching import Batching
from rnnlm.data.corpus import Corpus, CorpusConfig
from rnnlm.data.encoding import decode
from rnnlm.data.running_text import RunningText, RunningTextConfig
from rnnlm.data.source import File
from rnnlm.data.streaming import Passage, Piece, cut_between, lines_of, one_text
from rnnlm.data.tang import Form, Script, clean, read_poems
from rnnlm.data.time_machine import Level, Normalize
from rnnlm.data.vocabulary import BEGIN, END
from rnnlm.options import OptionError
from tests.conftest import ROOT

SAMPLES = ROOT / "rnnlm" / "data" / "samples"
NAMES = str(SAMPLES / "jinyong_names.txt")
OPTIONS: list[tuple[str, dict[str, Any]]] = [
    ("jaychou", {}),
    ("jaychou", {"newlines_to_spaces": True}),
    *(("time_machine", {"level": level, "normalize": n}) for level in Level for n in Normalize),
    ("jinyong", {}),
    ("jinyong", {"user_dict": NAMES}),
    ("tang", {}),
    ("tang", {"script": Script.simplified}),
    ("addition", {}),
]
# What tokens, advertisements and poems are made of, and what stands in their way.
FRAGMENTS = [
    *("a", "Word", "isn't", "'", "İ", "K", "Σ", "é", "1", "½", "_", "-", ".", ",", " ", "  "),
    *("\n", "\n\n", "\r\n", "\r", "\u3000", "\u3000\u3000", "武林", "高手", "闻人鹊", "風", "。"),
    *("（", "）", "[一]", "𠀀", "www.a.com", "\nwww.a.com\n", "2+3=5"),
]
TEXTS = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join)


class Proverbs(Corpus):
    """As an author writes a corpus: each line a text, its words joined by what `parse` put in."""

    def parse(self, files: Sequence[File]) -> list[str]:
        self.notes = ["taken"]
        texts = [decode(file.content, file.name) for file in files]
        return [line.replace(" ", "_") for text in texts for line in text.split("\n") if line]

    def tokenize(self, texts: Sequence[str]) -> Iterator[list[str]]:
        return (text.split("_") for text in texts)


class Words(RunningText):
    """A running text whose author says nothing of where it can be cut."""

    def tokenize(self, texts: Sequence[str]) -> list[list[str]]:
        return [text.split(" ") for text in texts]


def made(name: str, **options: Any) -> Corpus:
    kind = corpora()[name]
    return kind(kind.Config(name=name, **options))


def streamed(corpus: Corpus, path: Path, piece_bytes: int = encoding.PIECE_BYTES) -> list[Piece]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "PIECE_BYTES", piece_bytes)
        return list(corpus.stream(path))


def joined(pieces: Sequence[Piece]) -> tuple[list[str], int]:
    return [t for piece in pieces for t in piece.tokens], sum(p.num_chars for p in pieces)


def whole(corpus: Corpus, path: Path) -> tuple[list[str], int]:
    """The tokens and the number of characters of a file that is read whole, by other means."""
    file = File(path.name, path.read_bytes())
    texts: Sequence[str]
    if corpus.config.name == "addition":
        texts = [line for line in decode(file.content, file.name).split("\n") if line]
    elif corpus.config.name == "tang":
        texts = [text for poem in read_poems(file) if (text := clean(poem).text)]
        if corpus.config.script is Script.simplified:  # type: ignore[attr-defined]
            texts = [opencc.OpenCC("t2s").convert(text) for text in texts]
    else:
        texts = corpus.parse([file])
    bounded = corpus.in_documents
    if corpus.config.batching is Batching.documents and not corpus.in_documents:
        bounded, texts = True, [line for text in texts for line in text.split("\n") if line]
    if not any(map(str.strip, texts)):
        raise OptionError("data.source", "no text is left")
    tokens = list(corpus.tokenize(texts))
    if bounded:
        flat = [token for text in tokens for token in [BEGIN, *text, END]]
        return flat, sum(len(text) + 1 for text in texts)
    flat = [token for text in tokens for token in text]
    return flat, sum(map(len, texts)) - len(flat[0])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("streaming")


@pytest.mark.parametrize("batching", [Batching.stream, Batching.documents])
@pytest.mark.parametrize(("name", "options"), OPTIONS)
@given(
    text=TEXTS,
    name_of_encoding=st.sampled_from(["utf-8", "utf-16", "gb18030"]),
    piece_bytes=st.integers(1, 40),
)
@settings(deadline=None, max_examples=25)
def test_the_pieces_of_a_file_are_what_reading_it_whole_gives(
    folder: Path,
    name: str,
    options: dict[str, Any],
    batching: Batching,
    text: str,
    name_of_encoding: str,
    piece_bytes: int,
) -> None:
    corpus = made(name, **options, batching=batching)
    path = folder / "text.txt"
    path.write_bytes(text.encode(name_of_encoding))
    try:
        expected = whole(corpus, path)
    except OptionError:
        with pytest.raises(OptionError, match=r"^text: "):
            streamed(corpus, path, piece_bytes)
        return
    pieces = streamed(corpus, path, piece_bytes)
    assert joined(pieces) == expected
    if options.get("normalize") is not Normalize.letters:
        # Each piece counts its own characters, but for the very first token's.
        own = [sum(1 if t == END else len(t) for t in p.tokens if t != BEGIN) for p in pieces]
        if BEGIN not in expected[0]:
            own[0] -= len(expected[0][0])
        assert [piece.num_chars for piece in pieces] == own


@pytest.mark.parametrize("batching", [Batching.stream, Batching.documents])
@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_the_samples_come_in_many_pieces(
    folder: Path, name: str, options: dict[str, Any], batching: Batching
) -> None:
    corpus = made(name, **options, batching=batching)
    path = folder / "sample.txt"
    sample = SAMPLES / ("time_machine.txt" if name == "time_machine" else "jinyong/松烟墨.txt")
    path.write_bytes(sample.read_bytes())
    pieces = streamed(corpus, path, 1000)
    assert joined(pieces) == whole(corpus, path)
    if name != "tang":
        assert len(pieces) > path.stat().st_size / 2000
        assert max(piece.num_chars for piece in pieces) < 4000


@pytest.mark.parametrize("batching", Batching)
@given(text=TEXTS)
@settings(deadline=None, max_examples=25)
def test_a_corpus_that_says_nothing_of_cuts_is_read_whole(
    folder: Path, batching: Batching, text: str
) -> None:
    path = folder / "proverbs.txt"
    path.write_text(f"all's well {text}", encoding="utf-8", newline="")
    proverbs = Proverbs(CorpusConfig(name="proverbs", batching=batching))
    assert joined(streamed(proverbs, path, 3)) == whole(proverbs, path)
    words = Words(RunningTextConfig(name="words", batching=batching))
    expected = whole(words, path)
    assert joined(streamed(words, path, 3)) == expected
    words.config.max_chars = 2
    assert joined(streamed(words, path, 3)) == expected


def test_what_is_streamed_is_not_noted(folder: Path) -> None:
    path = folder / "proverbs.txt"
    path.write_text("all's well that ends well\n", encoding="utf-8")
    proverbs = Proverbs(CorpusConfig())
    assert proverbs.notes == []
    assert len(streamed(proverbs, path)) == 1
    assert proverbs.notes == []


def test_options_that_limit_a_corpus_do_not_limit_a_file(folder: Path) -> None:
    path = folder / "text.txt"
    path.write_text("千山鳥飛絕。\n千山鳥飛絕。\n", encoding="utf-8")
    assert joined(streamed(made("jaychou", max_chars=3), path))[1] == 13
    # Neither the form nor that it comes again leaves out a poem.
    assert joined(streamed(made("tang", form=Form.qilv), path))[1] == 14


def test_a_novel_is_one_document_and_poems_are_whole_in_a_piece(folder: Path) -> None:
    path = folder / "text.txt"
    path.write_text("千山鳥飛絕。\n萬徑人蹤滅。\n" * 400, encoding="utf-8")
    tokens = [piece.tokens for piece in streamed(made("jinyong"), path, 1000)]
    assert len(tokens) > 10
    assert [BEGIN in piece for piece in tokens] == [True, *[False] * (len(tokens) - 1)]
    assert [END in piece for piece in tokens] == [*[False] * (len(tokens) - 1), True]
    for made_of_lines in (made("tang"), made("jaychou", batching=Batching.documents)):
        for piece in streamed(made_of_lines, path, 1000):
            assert (piece.tokens[0], piece.tokens[-1]) == (BEGIN, END)


def test_a_json_of_poems(folder: Path) -> None:
    path = folder / "poems.JSON"
    poems = [{"paragraphs": ["千山鳥飛絕，", "萬徑人蹤滅。"]}, {"paragraphs": ["（注）"]}] * 600
    path.write_text(json.dumps(poems), encoding="utf-8")
    pieces = streamed(made("tang", script=Script.simplified), path)
    poem = [BEGIN, *"千山鸟飞绝，万径人踪灭。", END]
    assert joined(pieces) == (poem * 600, 13 * 600)


def test_the_titles_of_poems_are_seen_by_the_first_piece(folder: Path) -> None:
    path = folder / "poems.txt"
    path.write_text("江雪:千山鳥飛絕。\n" * 10 + "萬徑人蹤滅。\n" * 90, encoding="utf-8")
    tokens = joined(streamed(made("tang"), path, 100))[0]
    assert "".join(tokens).startswith("<bos>千山鳥飛絕。<eos><bos>千")
    assert "".join(joined(streamed(made("tang"), path))[0]).startswith("<bos>江雪千山")


def test_a_file_larger_than_the_memory_used(folder: Path) -> None:
    path = folder / "large.txt"
    path.write_text("It isn't 1884, Mr. Gale.\n" * 160_000, encoding="utf-8")
    corpora_of_files = [
        made("jaychou"),
        made("jaychou", batching=Batching.documents),
        made("time_machine", normalize=Normalize.letters),
    ]
    for corpus in corpora_of_files:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(encoding, "PIECE_BYTES", 50_000)
            tracemalloc.start()
            counted = sum(piece.num_chars for piece in corpus.stream(path))
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert abs(counted - 4_000_000) <= 1
        assert peak < 2_000_000


@pytest.mark.parametrize("name", corpora())
def test_what_is_no_file_of_text_is_refused_in_one_line(folder: Path, name: str) -> None:
    corpus = made(name)
    (folder / "a.zip").write_bytes(b"PK")
    (folder / "blank.txt").write_text(" \n\n", encoding="utf-8")
    (folder / "broken.txt").write_bytes(b"abc\xff")
    for path, problem in (
        (folder, "is a folder, it takes one file of text"),
        (folder / "a.zip", "is a zip, it takes one file of text"),
        (folder / "nope.zip", "no file .*nope"),
        (folder / ("long" * 100), "cannot be read"),
        (Path("zero\0"), "no file"),
        (Path("/dev/null"), "no file that can be read twice"),
        (folder / "blank.txt", r"blank\.txt holds no text"),
        (folder / "broken.txt", r"broken\.txt is not text in .*: byte 3 cannot be decoded"),
    ):
        with pytest.raises(OptionError, match=rf"^text: .*{problem}") as raised:
            streamed(corpus, path)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "file_name", "content"),
    [
        ("jinyong", "a.txt", "www.a.com\n\u3000\n"),
        ("tang", "a.txt", "Latin\n"),
        ("tang", "a.json", "[]"),
    ],
)
def test_a_file_of_which_no_text_is_left(
    folder: Path, name: str, file_name: str, content: str
) -> None:
    (folder / file_name).write_text(content, encoding="utf-8")
    with pytest.raises(OptionError, match=r"^text: no text is left of a\."):
        streamed(made(name), folder / file_name)


def test_a_json_without_poems_is_the_texts_fault(folder: Path) -> None:
    (folder / "a.json").write_text("{}", encoding="utf-8")
    with pytest.raises(OptionError, match=r"^text: a\.json holds no list of poems"):
        streamed(made("tang"), folder / "a.json")


def test_a_dictionary_that_cannot_be_read_is_not_the_texts_fault(folder: Path) -> None:
    path = folder / "text.txt"
    path.write_text("武林高手", encoding="utf-8")
    with pytest.raises(OptionError, match=r"^data\.user_dict: .* cannot be read"):
        streamed(made("jinyong", user_dict=str(folder / "nope.txt")), path)


PARTS = st.lists(st.text("ab \n", min_size=1, max_size=5), max_size=8)


@given(PARTS)
def test_a_text_is_cut_only_between_the_two_characters(parts: list[str]) -> None:
    cut = list(cut_between(parts, "[a-z]", " "))
    assert "".join(cut) == "".join(parts)
    assert all(cut)
    for one, following in itertools.pairwise(cut):
        assert one[-1] in "ab"
        assert following[0] == " "


def test_a_part_grows_until_it_can_be_cut() -> None:
    assert list(cut_between(["ab", "ab", "a", " b", "b c d"], "[a-z]", " ")) == [
        "ababa",
        " bb c",
        " d",
    ]


@given(st.lists(PARTS, max_size=4))
def test_lines_are_those_of_the_joined_passages(texts: list[list[str]]) -> None:
    passages = [passage for parts in texts for passage in one_text(parts)]
    found = [line for passage in lines_of(passages) for line in passage.texts]
    assert found == [line for parts in texts for line in "".join(parts).split("\n") if line]


def test_one_text_begins_and_ends_once() -> None:
    assert list(one_text(["a", "b", "c"])) == [
        Passage(["a"], True, False),
        Passage(["b"], False, False),
        Passage(["c"], False, True),
    ]
    assert list(one_text(["a"])) == [Passage(["a"])]


def test_what_becomes_a_letter_is_part_of_a_word() -> None:
    # Where `time_machine` cuts letters, no character that is lower-cased to one may follow.
    letters = {chr(code) for code in range(0x110000) if "a" <= chr(code).lower()[0] <= "z"}
    assert all(character.isalnum() for character in letters)
