"""rnnlm/generation/beam.py"""

from __future__ import annotations

import itertools

import pytest
import torch

from rnnlm.data.tokens.vocabulary import END_ID
from rnnlm.generation.beam import search
from rnnlm.generation.constraints import FreeText
from rnnlm.generation.options import GenerationOptions
from rnnlm.generation.sampling import Token
from rnnlm.model.stepper import Stepper
from tests.support.writing import PROMPT, VOCABULARY, V, ids, small_network, written

SEEDS = range(8)


def found(stepper: Stepper, width: int, length: int = 12) -> list[Token]:
    constraint = FreeText(VOCABULARY)
    return search(stepper, PROMPT, constraint, GenerationOptions(beam=width, length=length))


def nats(text: list[Token]) -> float:
    return sum(token.nats or 0.0 for token in text)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_beam_of_width_1_is_greedy(seed: int) -> None:
    stepper = Stepper(small_network("gru", seed))
    (greedy,) = written(stepper, greedy=True, length=12)
    assert [token[:4] for token in found(stepper, 1)] == [token[:4] for token in greedy]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_beam_finds_a_less_likely_text_than_greedy(seed: int) -> None:
    stepper = Stepper(small_network("lstm", seed))
    greedy = nats(written(stepper, greedy=True, length=12)[0])
    by_width = [nats(found(stepper, width)) for width in (2, 3, 5, 10)]
    assert all(each <= greedy for each in by_width)


def test_some_beams_find_likelier_texts() -> None:
    gains = []
    for seed in SEEDS:
        stepper = Stepper(small_network("lstm", seed))
        gains.append(nats(written(stepper, greedy=True, length=12)[0]) - nats(found(stepper, 10)))
    assert max(gains) > 0.1


@pytest.mark.parametrize("seed", [0, 1])
def test_a_beam_as_wide_as_the_texts_finds_the_likeliest_of_all(seed: int) -> None:
    stepper, length = Stepper(small_network("rnn", seed)), 3
    best = found(stepper, (V - 2) ** length, length)
    with torch.no_grad():
        network = stepper.network.double().eval()
        texts: dict[tuple[int, ...], float] = {}
        for letters in itertools.product(range(2, V), repeat=length):
            end = letters.index(END_ID) + 1 if END_ID in letters else length
            texts[letters[:end]] = 0.0
        for text in texts:
            tokens = torch.tensor([*PROMPT, *text])
            log_p_TV = network(tokens[:-1].unsqueeze(1))[0][:, 0].log_softmax(-1)
            chosen = log_p_TV[len(PROMPT) - 1 :].gather(1, tokens[len(PROMPT) :].unsqueeze(1))
            texts[text] = -chosen.sum().item()
    likeliest = min(texts, key=lambda text: texts[text])
    assert tuple(token.id for token in best) == likeliest
    assert nats(best) == pytest.approx(texts[likeliest], abs=1e-4)
    assert ids([best])[0].count(END_ID) <= 1
