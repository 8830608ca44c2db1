"""rnnlm/data/corpus.py, on every corpus there is."""

from __future__ import annotations

import hashlib

import pytest
import torch

from rnnlm.data import corpora
from rnnlm.data.corpus import SPLITS, Corpus, CorpusConfig
from rnnlm.data.time_machine import TimeMachine, TimeMachineConfig
from rnnlm.options import OptionError


class Letters(TimeMachine):
    """A text given as it is, without a file."""

    text = "abcdefghij" * 100

    def read(self) -> str:
        return self.text


def corpus(**options: object) -> Letters:
    defaults = {"batch_size": 2, "seq_len": 4}
    made = Letters(TimeMachineConfig(**{**defaults, **options}))  # type: ignore[arg-type]
    made.setup()
    return made


@pytest.mark.parametrize("name", corpora())
def test_every_sample_loads_offline(name: str) -> None:
    kind: type[Corpus] = corpora()[name]
    made = kind(kind.Config(name=name))
    made.setup()
    assert set(made.splits) == set(SPLITS)
    assert len(made.vocabulary) > 10
    assert next(iter(made.train_dataloader())).num_tokens > 0


def test_the_split_is_contiguous_in_reading_order() -> None:
    splits = corpus(validation_fraction=0.1, test_fraction=0.2).splits
    assert "".join(splits[name].raw for name in SPLITS) == Letters.text
    assert [len(splits[name].raw) for name in SPLITS] == [700, 100, 200]


def test_the_vocabulary_is_of_the_training_split_alone() -> None:
    made = corpus()
    made_with_other_end = Letters(made.config)
    made_with_other_end.text = Letters.text[:800] + "xyz" * 66 + "xy"
    made_with_other_end.setup()
    assert made_with_other_end.vocabulary.tokens == made.vocabulary.tokens
    assert made_with_other_end.oov_rate == 1.0


def test_unknown_is_trained_on() -> None:
    made = corpus()
    assert (made.splits["train"].ids_N == 0).any()


def test_the_texts_hash_is_of_all_of_it() -> None:
    assert corpus().text_sha256 == hashlib.sha256(Letters.text.encode()).hexdigest()


def test_predicted_tokens_and_their_characters_are_counted() -> None:
    split = corpus().splits["test"]
    assert (split.num_tokens, split.num_chars) == (99, 99)


def test_setup_is_done_once() -> None:
    made = corpus()
    before = made.splits["train"].ids_N
    made.setup("test")
    assert made.splits["train"].ids_N is before


def test_evaluation_does_not_depend_on_the_training_batches() -> None:
    first, second = corpus(batch_size=2, seq_len=4), corpus(batch_size=20, seq_len=3)
    for one, other in zip(first.test_dataloader(), second.test_dataloader(), strict=True):
        assert torch.equal(one.targets_NB, other.targets_NB)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seq_len": 800}, "data.seq_len: 800 is longer than the training text, .* at most 799"),
        ({"batch_size": 200}, "data.batch_size: 200 streams .* at most 199"),
        ({"validation_fraction": 0.6, "test_fraction": 0.4}, "data.validation_fraction"),
        ({"test_fraction": 0.001}, "data.test_fraction: 0.001 of the text is too little"),
    ],
)
def test_a_text_too_small_is_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        corpus(**options)


def test_configs_are_of_the_common_kind() -> None:
    assert all(issubclass(kind.Config, CorpusConfig) for kind in corpora().values())
