"""rnnlm/data/corpus.py, on every corpus there is."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.data import corpora, token_cache
from rnnlm.data.batching import Batching
from rnnlm.data.corpus import Corpus, CorpusConfig
from rnnlm.data.source import File
from rnnlm.data.splitting import SPLITS
from rnnlm.data.tang import Form
from rnnlm.data.vocabulary import BEGIN, BEGIN_ID, END, END_ID
from rnnlm.options import OptionError


class Letters(Corpus):
    """A text given as it is, without a file."""

    text = "abcdefghij" * 100
    parsed = 0

    def files(self) -> list[File]:
        return [File("letters.txt", self.text.encode())]

    def parse(self, files: Sequence[File]) -> list[str]:
        type(self).parsed += 1
        return [files[0].content.decode()]

    def tokenize(self, texts: Sequence[str]) -> list[list[str]]:
        return [list(text) for text in texts]


def corpus(text: str = Letters.text, **options: object) -> Letters:
    defaults = {"name": "letters", "batch_size": 2, "seq_len": 4}
    made = Letters(CorpusConfig(**{**defaults, **options}))  # type: ignore[arg-type]
    made.text = text
    made.setup()
    return made


def text_of(made: Corpus, name: str) -> str:
    return "".join(made.vocabulary.decode(made.splits[name].ids_N.tolist()))


@pytest.mark.parametrize("batching", Batching)
@pytest.mark.parametrize("name", corpora())
def test_every_sample_loads_offline_in_every_batching(name: str, batching: Batching) -> None:
    kind = corpora()[name]
    made = kind(kind.Config(name=name, batching=batching, batch_size=8))
    made.setup()
    assert set(made.splits) == set(SPLITS)
    assert len(made.vocabulary) > 10
    assert len(made.text_sha256) == 64
    for split in made.splits.values():
        assert split.num_tokens > 10
        assert split.num_chars > 10
    batches = made.train_dataloader()
    assert sum(batch.num_tokens for batch in batches) == made.splits["train"].num_tokens


@given(st.sampled_from(sorted(corpora())), st.sampled_from([".txt", ".json"]), st.binary())
@settings(deadline=None)
def test_any_file_is_a_text_or_a_clear_error(name: str, suffix: str, content: bytes) -> None:
    corpus = corpora()[name](corpora()[name].Config(name=name))
    try:
        texts = corpus.parse([File(f"some{suffix}", content)])
    except OptionError as error:
        assert str(error).startswith("data.")
        assert "\n" not in str(error)
    else:
        assert all(isinstance(text, str) for text in texts)
        for text, tokens in zip(texts[:3], corpus.tokenize(texts[:3]), strict=True):
            assert "".join(tokens) == text


def test_the_split_is_contiguous_in_reading_order() -> None:
    made = corpus(validation_fraction=0.1, test_fraction=0.2, min_count=1)
    assert [len(made.splits[name].ids_N) for name in SPLITS] == [700, 100, 200]
    assert text_of(made, "test") == ("abcdefghij" * 20)


def test_the_vocabulary_is_of_the_training_split_alone() -> None:
    made = corpus()
    other = corpus(Letters.text[:800] + "xyz" * 66 + "xy")
    assert other.vocabulary.tokens == made.vocabulary.tokens
    assert other.oov_rate == 1.0


def test_what_is_rare_is_unknown_in_training_too() -> None:
    assert not (corpus().splits["train"].ids_N == 0).any()
    rare = corpus("z" + Letters.text)
    assert rare.splits["train"].ids_N[0] == 0
    # Where none is, runs are others than those of versions that took the least frequent token.
    assert rare.identity == rare.text_sha256
    assert corpus().identity != corpus().text_sha256


def test_the_texts_hash_is_of_all_of_it() -> None:
    assert corpus().text_sha256 == hashlib.sha256(Letters.text.encode()).hexdigest()


def test_predicted_tokens_and_their_characters_are_counted() -> None:
    split = corpus().splits["test"]
    assert (split.num_tokens, split.num_chars) == (99, 99)


def test_lines_are_documents_and_a_line_end_is_a_character() -> None:
    text = "one line\n\nand another\n" * 40
    made = corpus(text, batching=Batching.documents, min_count=1)
    split = made.splits["train"]
    assert int((split.ids_N == BEGIN_ID).sum()) == int((split.ids_N == END_ID).sum()) > 10
    lines = [line for line in text[: round(len(text) * 0.8)].split("\n") if line]
    assert split.num_tokens == split.num_chars == sum(len(line) + 1 for line in lines)


def test_unknown_tokens_are_charged_for() -> None:
    made = corpus(Letters.text[:950] + "Ω" * 50, max_vocab=9)
    assert made.splits["train"].unknown_nats == pytest.approx(
        # "j" alone is unknown in training: 80 of 80, plus one for each of 11 symbols.
        80 * torch.tensor(91 / 81).log().item(),
        rel=1e-5,
    )
    assert made.splits["test"].unknown_nats > 50 * 13


@pytest.mark.parametrize("batching", Batching)
@pytest.mark.parametrize("name", corpora())
def test_the_texts_of_the_splits_are_what_is_tokenised(name: str, batching: Batching) -> None:
    kind = corpora()[name]
    made = kind(kind.Config(name=name, batching=batching, batch_size=8))
    made.setup()
    for split_name, texts in made.texts().items():
        split = made.splits[split_name]
        tokens = list(made.tokenize(texts))
        if split.begin_id is None:
            flat = [token for text in tokens for token in text]
            assert split.num_chars == sum(map(len, texts)) - len(flat[0])
        else:
            flat = [token for text in tokens for token in [BEGIN, *text, END]]
            assert split.num_chars == sum(len(text) + 1 for text in texts)
        assert made.vocabulary.encode(flat).tolist() == split.ids_N.tolist()


@given(st.sampled_from(sorted(corpora())), st.text())
@settings(deadline=None)
def test_a_text_typed_by_hand_is_all_there(name: str, text: str) -> None:
    tokens = corpora()[name](corpora()[name].Config(name=name)).typed(text)
    assert len("".join(tokens)) == len(text.replace("\r\n", "\n"))
    assert "\r" not in tokens


def test_nothing_typed_is_no_tokens_and_no_text_is_refused() -> None:
    for name, kind in corpora().items():
        assert kind(kind.Config(name=name)).typed("") == []
        with pytest.raises(OptionError, match="prompt: it is not text in UTF-8"):
            kind(kind.Config(name=name)).typed("風\udcff")


def test_texts_are_read_anew_where_tokens_come_from_the_cache() -> None:
    corpus("one line\nand another\n" * 40, batching=Batching.documents)
    made = corpus("one line\nand another\n" * 40, batching=Batching.documents)
    parsed = Letters.parsed
    texts = made.texts()
    assert Letters.parsed == parsed + 1
    assert list(texts) == list(SPLITS)
    assert texts["train"][:3] == ["one line", "and another", "one line"]


def test_setup_is_done_once() -> None:
    made = corpus()
    before = made.splits["train"].ids_N
    made.setup("test")
    assert made.splits["train"].ids_N is before


def test_a_text_is_tokenised_once_for_all_runs() -> None:
    text = "the quick brown fox jumps over the lazy dog\n" * 30
    first = corpus(text)
    parsed = Letters.parsed
    second = corpus(text, batch_size=3, seq_len=5)
    assert Letters.parsed == parsed
    assert second.vocabulary.tokens == first.vocabulary.tokens
    assert second.text_sha256 == first.text_sha256
    for name in SPLITS:
        assert torch.equal(first.splits[name].ids_N, second.splits[name].ids_N)
        assert first.splits[name].unknown_nats == second.splits[name].unknown_nats
    corpus(text, min_count=3)
    corpus(text + "more")
    assert Letters.parsed == parsed + 2


def test_nothing_is_cached_of_a_text_that_is_refused() -> None:
    with pytest.raises(OptionError):
        corpus(min_count=1000)
    assert not list(token_cache.cache_directory().glob("*"))


def test_a_broken_cache_is_made_again() -> None:
    first = corpus()
    (folder,) = token_cache.cache_directory().iterdir()
    for name, content in (("train.npy", b"broken"), ("train.npy", b""), ("corpus.json", b"null")):
        (folder / name).write_bytes(content)
        assert torch.equal(corpus().splits["train"].ids_N, first.splits["train"].ids_N)


def test_a_cache_that_cannot_be_written_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("RNNLM_CACHE_DIR", str(tmp_path / "file"))
    assert corpus().splits["train"].num_tokens == 799


def test_evaluation_does_not_depend_on_the_training_batches() -> None:
    first, second = corpus(batch_size=2, seq_len=4), corpus(batch_size=20, seq_len=3)
    for one, other in zip(first.test_dataloader(), second.test_dataloader(), strict=True):
        for batch, same in zip(one, other, strict=True):
            assert torch.equal(batch.targets_TB, same.targets_TB)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seq_len": 800}, "data.seq_len: 800 is longer than the training text, .* at most 799"),
        ({"batch_size": 200}, "data.batch_size: 200 streams .* at most 199"),
        ({"validation_fraction": 0.6, "test_fraction": 0.4}, "data.validation_fraction"),
        ({"test_fraction": 0.001}, "data.test_fraction: 0.001 of the text is too little"),
        (
            {"batching": Batching.documents, "batch_size": 2},
            "data.batch_size: 2 is more than the documents to train on, it takes at most 1",
        ),
    ],
)
def test_a_text_too_small_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        corpus(**options)


def test_only_streams_vary_in_length() -> None:
    lengths = [
        len(b.inputs_TB) for b in corpus(seq_len=20, variable_seq_len=True).train_dataloader()
    ]
    assert len(set(lengths)) > 2
    with pytest.raises(OptionError, match=r"data.variable_seq_len: only data.batching=stream"):
        corpus(variable_seq_len=True, batching=Batching.windows)


def read(path: Path, name: str, **options: Any) -> list[str]:
    """The tokens of a file, as a corpus of one of its own reads them."""
    kind = corpora()[name]
    made = kind(kind.Config(name=name, **options))
    made.setup()
    return made.vocabulary.decode(made.read_file(path).ids_N.tolist())


@pytest.mark.parametrize("name", corpora())
def test_what_is_no_file_of_text_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    kind = corpora()[name]
    made = kind(kind.Config(name=name))
    (tmp_path / "a.zip").write_bytes(b"PK")
    (tmp_path / "blank.txt").write_text(" \n\n", encoding="utf-8")
    (tmp_path / "broken.txt").write_bytes(b"abc\xff")
    with (tmp_path / "large.txt").open("wb") as file:
        file.truncate(2**30 + 1)
    os.mkfifo(tmp_path / "pipe")
    for path, problem in (
        (tmp_path, "is a folder, it takes one file of text"),
        (tmp_path / "a.zip", "is a zip, it takes one file of text"),
        (tmp_path / "nope.zip", "no file .*nope"),
        (tmp_path / ("long" * 100), "cannot be read"),
        (Path("zero\0"), "no file"),
        (Path("/dev/null"), "no file that can be read twice"),
        (tmp_path / "pipe", "no file that can be read twice"),
        (tmp_path / "large.txt", "larger than 1 GiB"),
        (tmp_path / "blank.txt", r"blank\.txt holds no text"),
        (tmp_path / "broken.txt", r"broken\.txt is not text in .*: byte 3 cannot be decoded"),
    ):
        with pytest.raises(OptionError, match=rf"^text: .*{problem}") as raised:
            made.read_file(path)
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
    tmp_path: Path, name: str, file_name: str, content: str
) -> None:
    (tmp_path / file_name).write_text(content, encoding="utf-8")
    with pytest.raises(OptionError, match=r"^text: .*a\.|^text: .* holds no novel"):
        read(tmp_path / file_name, name)


def test_a_dictionary_that_cannot_be_read_is_not_the_texts_fault(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("武林高手", encoding="utf-8")
    kind = corpora()["jinyong"]
    options: dict[str, Any] = {"user_dict": str(tmp_path / "nope.txt")}
    made = kind(kind.Config(name="jinyong", **options))
    with pytest.raises(OptionError, match=r"^data\.user_dict: .* cannot be read"):
        made.read_file(tmp_path / "text.txt")


def test_options_that_limit_a_corpus_do_not_limit_a_file(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("千山鳥飛絕。\n千山鳥飛絕。\n", encoding="utf-8")
    assert len(read(path, "jaychou", max_chars=3000)) == 14
    # Neither the form nor that it comes again leaves out a poem.
    assert len(read(path, "tang", form=Form.qilv)) == 2 * 8


def test_the_encoding_is_noted_and_part_of_the_caches_key(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(("Il était une fois, déjà. " * 40).encode("cp1252"))
    kind = corpora()["jaychou"]
    found = []
    for encoding in ("cp1252", "cp1250", "cp1252"):
        made = kind(kind.Config(source=str(path), encoding=encoding, batch_size=2, seq_len=4))
        made.setup()
        assert made.notes == [f"read 1 file in {encoding}: 1,000 characters, 0 of them taken off"]
        found.append(made.text_sha256)
    assert found[0] == found[2] != found[1]
    with pytest.raises(OptionError, match=r"data\.source: text\.txt .* data\.encoding=cp1252"):
        kind(kind.Config(source=str(path))).setup()


def test_files_of_a_folder_end_their_lines(tmp_path: Path) -> None:
    for name, text in (("ch10", "the end"), ("ch9", "at the"), ("ch2", "Morning\n")):
        (tmp_path / f"{name}.txt").write_text(text)
    kind = corpora()["time_machine"]
    made = kind(kind.Config(source=str(tmp_path)))
    assert made.parse(made.files()) == ["Morning\nat the\nthe end"]


def test_what_is_read_beside_a_corpus_is_not_noted(tmp_path: Path) -> None:
    made = corpora()["jinyong"](corpora()["jinyong"].Config(name="jinyong"))
    made.setup()
    notes = list(made.notes)
    (tmp_path / "text.txt").write_text("www.a.com\n武林高手\n", encoding="utf-8")
    made.read_file(tmp_path / "text.txt")
    assert made.notes == notes


def test_configs_are_of_the_common_kind() -> None:
    assert all(issubclass(kind.Config, CorpusConfig) for kind in corpora().values())
