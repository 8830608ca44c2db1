"""rnnlm/generation/writer.py"""

from __future__ import annotations

import math
from typing import Any

import pytest

from rnnlm.data.tokens.vocabulary import Vocabulary
from rnnlm.generation.options import GenerationOptions
from rnnlm.generation.writer import Addition, Text, Writer
from rnnlm.options import OptionError
from tests.support.writing import VOCABULARY, small_network


@pytest.fixture(scope="module")
def writer() -> Writer:
    return Writer(small_network(), VOCABULARY)


def pieces(
    writer: Writer, prompt: str = "", probabilities: bool = False, **options: Any
) -> list[Addition]:
    chosen = GenerationOptions(**{"length": 20, **options})
    return list(writer.stream(list(prompt), chosen, with_probabilities=probabilities))


def texts(written: list[Addition]) -> dict[int, Text]:
    return {piece.number: piece.text for piece in written if piece.text is not None}


@pytest.mark.parametrize("options", [{"num": 7}, {"beam": 3}, {"greedy": True}])
def test_the_pieces_of_a_text_are_the_text(writer: Writer, options: dict[str, Any]) -> None:
    written = pieces(writer, "ab", **options)
    for number, text in texts(written).items():
        assert "".join(p.added for p in written if p.number == number) == text.text
        assert text.prompt == "ab"
        assert text.nats is None
        assert text.probabilities is None
        assert text.ppl is None
    assert len(texts(written)) == options.get("num", 1)


def test_texts_grow_side_by_side(writer: Writer) -> None:
    assert [piece.number for piece in pieces(writer, num=3)[:6]] == [0, 1, 2, 0, 1, 2]


def test_a_text_says_whether_it_came_to_its_end(writer: Writer) -> None:
    found = texts(pieces(writer, num=60)).values()
    assert {text.complete for text in found} == {True, False}
    for text in found:
        assert text.complete == (text.tokens[-1] == "<eos>")
        assert len(text.tokens) == len(text.text) + text.complete
    stopped = texts(pieces(writer, num=60, stop=["c"])).values()
    assert any(text.text.endswith("c") and text.complete for text in stopped)


def test_probabilities_and_perplexity_are_those_of_the_tokens(writer: Writer) -> None:
    for text in texts(pieces(writer, num=3, probabilities=True)).values():
        assert text.probabilities is not None
        log_p = sum(map(math.log, text.probabilities))
        assert len(text.probabilities) == len(text.tokens)
        assert text.ppl == pytest.approx(math.exp(-log_p / len(text.tokens)))
        assert set(text.to_dict()) == {
            *("prompt", "text", "complete", "ppl", "tokens", "probabilities"),
        }


def test_a_beam_knows_probabilities_too(writer: Writer) -> None:
    assert texts(pieces(writer, beam=2, probabilities=True))[0].ppl is not None


def test_without_a_beginning_a_prompt_is_needed() -> None:
    unbounded = Vocabulary(["<unk>", *"abcdefghijkl"])
    writer = Writer(small_network(), unbounded)
    with pytest.raises(OptionError, match="prompt: this model's texts have no beginning"):
        pieces(writer)
    assert texts(pieces(writer, "a"))
