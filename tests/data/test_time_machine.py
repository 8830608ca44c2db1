"""rnnlm/data/time_machine.py"""

from __future__ import annotations

import re
from collections import Counter
from functools import partial
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from rnnlm.data.time_machine import Level, Normalize, TimeMachine, TimeMachineConfig
from tests.conftest import ROOT
from tests.support.small_corpora import prepared, untrained

SAMPLE = ROOT / "rnnlm" / "data" / "samples" / "time_machine.txt"


made = partial(prepared, "time_machine")


def test_the_sample_is_a_real_text() -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    assert len(text) >= 40_000
    lines = [line for line in text.splitlines() if line]
    assert max(Counter(lines).values()) == 1
    assert max(map(len, lines)) <= 72
    # A lively vocabulary, and no long stretch that occurs twice.
    words = re.findall("[a-z]+", text.lower())
    assert len(set(words)) > 1500
    eight_words = Counter(zip(*(words[i:] for i in range(8)), strict=False))
    assert max(eight_words.values()) <= 2


def test_the_full_text_is_the_one_expected(real_data: Path) -> None:
    corpus = made(source="full")
    assert sum(len(split.ids_N) for split in corpus.splits.values()) == 178_979
    assert len(corpus.splits["test"].ids_N) == 17_898
    assert corpus.unknown_rate < 0.001


def test_letters_are_the_27_of_the_book(real_data: Path) -> None:
    corpus = made(source="full", normalize=Normalize.letters)
    assert sorted(corpus.vocabulary.tokens) == [" ", "<unk>", *"abcdefghijklmnopqrstuvwxyz"]
    assert corpus.unknown_rate == 0


def test_a_letter_that_training_lacks_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("the cat sat on the mat " * 80 + "quick brown jumps " * 20, encoding="utf-8")
    corpus = made(source=str(path), normalize=Normalize.letters, batch_size=2)
    assert corpus.unknown_rate > 0
    assert not (corpus.splits["train"].ids_N == 0).any()
    assert corpus.splits["test"].unknown_nats > 0


def test_bits_per_character_are_of_the_original_text() -> None:
    as_it_is, letters = made(), made(normalize=Normalize.letters)
    for name, split in letters.splits.items():
        assert split.num_chars == as_it_is.splits[name].num_chars
        assert split.num_tokens < split.num_chars


@given(st.text())
def test_letters_are_lower_case_letters_and_single_spaces(text: str) -> None:
    (tokens,) = TimeMachine(TimeMachineConfig(normalize=Normalize.letters)).tokenize([text])
    assert set(tokens) <= set(" abcdefghijklmnopqrstuvwxyz")
    assert "  " not in "".join(tokens)


@given(st.text(), st.sampled_from(Level))
def test_without_normalization_the_text_comes_back(text: str, level: Level) -> None:
    (tokens,) = TimeMachine(TimeMachineConfig(level=level)).tokenize([text])
    assert "".join(tokens) == text


def test_words_have_the_space_before_them() -> None:
    corpus = TimeMachine(TimeMachineConfig(level=Level.word))
    (tokens,) = corpus.tokenize(['It isn\'t 1884, "Gale."\n'])
    assert tokens == ["It", " isn't", " 1884", ",", " ", '"', "Gale", ".", '"', "\n"]


def test_what_is_typed_by_hand_is_tokenized_as_the_text() -> None:
    for level, expected in (
        (Level.char, list("the machine ")),
        (Level.word, ["the", " machine", " "]),
    ):
        corpus = TimeMachine(TimeMachineConfig(level=level, normalize=Normalize.letters))
        assert untrained(corpus).prompt_tokens("The\r\nMachine!") == expected


def test_words_and_characters_compare_by_bits_per_character() -> None:
    characters, words = made(), made(level=Level.word)
    assert words.unknown_rate > 0.05
    for name, split in words.splits.items():
        assert abs(split.num_chars - characters.splits[name].num_chars) < 10
        assert split.num_tokens < split.num_chars / 3
        assert split.unknown_nats > 0
