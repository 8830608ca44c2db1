"""rnnlm/data/preparation.py, on every corpus there is."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch

from rnnlm.data import corpora
from rnnlm.data.batching import Batching
from rnnlm.data.datamodule import CorpusDataModule
from rnnlm.data.preparation import PreparedCorpus, prepare
from rnnlm.data.texts.splitting import SPLITS
from rnnlm.data.tokens import token_cache
from rnnlm.data.tokens.vocabulary import BEGIN, BEGIN_ID, END, END_ID
from rnnlm.options import OptionError
from tests.support.small_corpora import Letters, letters, named


def text_of(made: PreparedCorpus, name: str) -> str:
    return "".join(made.vocabulary.decode(made.splits[name].ids_N.tolist()))


@pytest.mark.parametrize("batching", Batching)
@pytest.mark.parametrize("name", corpora())
def test_every_sample_loads_offline_in_every_batching(name: str, batching: Batching) -> None:
    made = prepare(named(name, batching=batching, batch_size=8))
    assert set(made.splits) == set(SPLITS)
    assert len(made.vocabulary) > 10
    assert len(made.text_sha256) == 64
    for split in made.splits.values():
        assert split.num_tokens > 10
        assert split.num_chars > 10
    batches = CorpusDataModule(made).train_dataloader()
    assert sum(batch.num_tokens for batch in batches) == made.splits["train"].num_tokens


def test_the_split_is_contiguous_in_reading_order() -> None:
    made = letters(validation_fraction=0.1, test_fraction=0.2, min_count=1)
    assert [len(made.splits[name].ids_N) for name in SPLITS] == [700, 100, 200]
    assert text_of(made, "test") == ("abcdefghij" * 20)


def test_the_vocabulary_is_of_the_training_split_alone() -> None:
    made = letters()
    other = letters(Letters.text[:800] + "xyz" * 66 + "xy")
    assert other.vocabulary.tokens == made.vocabulary.tokens
    assert other.unknown_rate == 1.0


def test_what_is_rare_is_unknown_in_training_too() -> None:
    assert not (letters().splits["train"].ids_N == 0).any()
    rare = letters("z" + Letters.text)
    assert rare.splits["train"].ids_N[0] == 0
    # Without one, the identity differs from that of versions that took the least frequent token.
    assert rare.identity == rare.text_sha256
    assert letters().identity != letters().text_sha256


def test_the_texts_hash_is_of_all_of_it() -> None:
    assert letters().text_sha256 == hashlib.sha256(Letters.text.encode()).hexdigest()


def test_predicted_tokens_and_their_characters_are_counted() -> None:
    split = letters().splits["test"]
    assert (split.num_tokens, split.num_chars) == (99, 99)


def test_lines_are_documents_and_a_line_end_is_a_character() -> None:
    text = "one line\n\nand another\n" * 40
    made = letters(text, batching=Batching.documents, min_count=1)
    split = made.splits["train"]
    assert int((split.ids_N == BEGIN_ID).sum()) == int((split.ids_N == END_ID).sum()) > 10
    lines = [line for line in text[: round(len(text) * 0.8)].split("\n") if line]
    assert split.num_tokens == split.num_chars == sum(len(line) + 1 for line in lines)


def test_unknown_tokens_are_charged_for() -> None:
    made = letters(Letters.text[:950] + "Ω" * 50, max_vocab=9)
    assert made.splits["train"].unknown_nats == pytest.approx(
        # "j" alone is unknown in training: 80 of 80, plus one for each of 11 symbols.
        80 * torch.tensor(91 / 81).log().item(),
        rel=1e-5,
    )
    assert made.splits["test"].unknown_nats > 50 * 13


@pytest.mark.parametrize("batching", Batching)
@pytest.mark.parametrize("name", corpora())
def test_the_texts_of_the_splits_are_what_is_tokenized(name: str, batching: Batching) -> None:
    made = prepare(named(name, batching=batching, batch_size=8))
    for split_name, texts in made.texts().items():
        split = made.splits[split_name]
        tokens = list(made.definition.tokenize(texts))
        if split.begin_id is None:
            flat = [token for text in tokens for token in text]
            assert split.num_chars == sum(map(len, texts)) - len(flat[0])
        else:
            flat = [token for text in tokens for token in [BEGIN, *text, END]]
            assert split.num_chars == sum(len(text) + 1 for text in texts)
        assert made.vocabulary.encode(flat).tolist() == split.ids_N.tolist()


def test_texts_are_read_anew_where_tokens_come_from_the_cache() -> None:
    letters("one line\nand another\n" * 40, batching=Batching.documents)
    made = letters("one line\nand another\n" * 40, batching=Batching.documents)
    parsed = Letters.parsed
    texts = made.texts()
    assert Letters.parsed == parsed + 1
    assert list(texts) == list(SPLITS)
    assert texts["train"][:3] == ["one line", "and another", "one line"]


def test_a_text_is_tokenized_once_for_all_runs() -> None:
    text = "the quick brown fox jumps over the lazy dog\n" * 30
    first = letters(text)
    parsed = Letters.parsed
    second = letters(text, batch_size=3, seq_len=5)
    assert Letters.parsed == parsed
    assert second.vocabulary.tokens == first.vocabulary.tokens
    assert second.text_sha256 == first.text_sha256
    for name in SPLITS:
        assert torch.equal(first.splits[name].ids_N, second.splits[name].ids_N)
        assert first.splits[name].unknown_nats == second.splits[name].unknown_nats
    letters(text, min_count=3)
    letters(text + "more")
    assert Letters.parsed == parsed + 2


def test_nothing_is_cached_of_a_text_that_is_refused() -> None:
    with pytest.raises(OptionError):
        letters(min_count=1000)
    assert not list(token_cache.cache_directory().glob("*"))


def test_a_broken_cache_is_made_again() -> None:
    first = letters()
    (folder,) = token_cache.cache_directory().iterdir()
    for name, content in (("train.npy", b"broken"), ("train.npy", b""), ("corpus.json", b"null")):
        (folder / name).write_bytes(content)
        assert torch.equal(letters().splits["train"].ids_N, first.splits["train"].ids_N)


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
        letters(**options)


def test_the_encoding_is_noted_and_part_of_the_caches_key(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(("Il était une fois, déjà. " * 40).encode("cp1252"))
    found = []
    for encoding in ("cp1252", "cp1250", "cp1252"):
        options = {"encoding": encoding, "batch_size": 2, "seq_len": 4}
        made = prepare(named("jaychou", source=str(path), **options))
        assert made.notes == [f"read 1 file in {encoding}: 1,000 characters, 0 of them taken off"]
        found.append(made.text_sha256)
    assert found[0] == found[2] != found[1]
    with pytest.raises(OptionError, match=r"data\.source: text\.txt .* data\.encoding=cp1252"):
        prepare(named("jaychou", source=str(path)))


def test_only_streams_vary_in_length() -> None:
    with pytest.raises(OptionError, match=r"data.variable_seq_len: only data.batching=stream"):
        letters(variable_seq_len=True, batching=Batching.windows)
