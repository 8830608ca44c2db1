"""rnnlm/generation/sampling.py"""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from scipy import stats

from rnnlm.generation import sampling
from rnnlm.generation.options import InitialState
from rnnlm.model.cells import cells
from rnnlm.model.stepper import Stepper
from tests.support.writing import PROMPT, VOCABULARY, V, ids, small_network, written


@pytest.fixture(params=sorted(cells()))
def stepper(request: pytest.FixtureRequest) -> Stepper:
    return Stepper(small_network(request.param))


def test_a_text_follows_from_seed_and_number_whatever_else_is_written(stepper: Stepper) -> None:
    many = ids(written(stepper, num=40))
    for number in (1, 2, 3, 17):
        assert ids(written(stepper, num=number)) == many[:number]
    assert ids(written(stepper, num=2, seed=2)) != many[:2]
    assert len({tuple(text) for text in many}) > 30


def test_a_text_is_the_same_in_any_division_into_batches(
    stepper: Stepper, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ids(written(stepper, num=20, top_k=5, state=InitialState.normal))
    for rows in (1, 3, 7):
        monkeypatch.setattr(sampling, "_MOST_LOGITS", rows * V)
        assert ids(written(stepper, num=20, top_k=5, state=InitialState.normal)) == whole
    monkeypatch.setattr(sampling, "_BLOCK", 7)
    assert ids(written(stepper, num=20, top_k=5, state=InitialState.normal)) == whole


def test_a_length_that_is_never_reached_costs_nothing(stepper: Stepper) -> None:
    expected = ids(written(stepper, num=3, length=500, stop=["a", "b"]))
    assert ids(written(stepper, num=3, length=10**12, stop=["a", "b"])) == expected


@pytest.mark.parametrize("state", InitialState)
def test_draws_follow_the_models_distribution_after_the_prompt(
    stepper: Stepper, state: InitialState
) -> None:
    texts = written(stepper, num=4000, length=1, state=state)
    observed = Counter(text[0].id for text in texts)
    assert not {0, 1} & observed.keys()  # <unk> and <bos> are no text
    if state is InitialState.zeros:
        with torch.no_grad():
            prompt_T1 = torch.tensor(PROMPT).unsqueeze(1)
            logits_V = stepper.network.eval()(prompt_T1)[0][-1, 0].double()
        p_V = torch.softmax(logits_V[2:], dim=-1).numpy()
        assert stats.chisquare([observed[i] for i in range(2, V)], 4000 * p_V).pvalue > 1e-3


def test_a_random_initial_state_is_normal_with_deviation_one_half() -> None:
    import numpy as np

    stepper = Stepper(small_network())
    generators = [np.random.default_rng((1, number)) for number in range(400)]
    state = sampling.read_prompt(stepper, [], InitialState.normal, generators)
    for layer in state:
        for part in layer:
            values = part.flatten().double().numpy()
            assert stats.kstest(values, stats.norm(scale=0.5).cdf).pvalue > 1e-3


def test_nats_are_those_of_the_whole_sequence_under_the_model(stepper: Stepper) -> None:
    for text in written(stepper, num=3, temperature=0.7, top_k=4, repetition_penalty=1.2):
        tokens = torch.tensor([*PROMPT, *(token.id for token in text)])
        with torch.no_grad():
            log_p_TV = stepper.network.eval()(tokens[:-1].unsqueeze(1))[0][:, 0].log_softmax(-1)
        expected = -log_p_TV[len(PROMPT) - 1 :].gather(1, tokens[len(PROMPT) :].unsqueeze(1))
        assert [t.nats for t in text] == pytest.approx(expected.flatten().tolist(), abs=1e-4)


def test_greedy_is_temperature_0_and_the_limit_of_small_ones(stepper: Stepper) -> None:
    greedy = ids(written(stepper, greedy=True))
    assert ids(written(stepper, temperature=0)) == greedy
    assert ids(written(stepper, temperature=1e-6)) == greedy
    assert ids(written(stepper, top_k=1)) == greedy


def test_it_ends_at_the_end_token_and_after_a_text(stepper: Stepper) -> None:
    texts = written(stepper, num=50)
    assert any(text[-1].id == 2 for text in texts)
    for text in texts:
        assert [token.is_last for token in text] == [False] * (len(text) - 1) + [True]
        assert len(text) == 40 or text[-1].id == 2
        assert 2 not in [token.id for token in text[:-1]]
    stopped = written(stepper, num=50, stop=["c", "ab"])
    for whole, short in zip(ids(texts), ids(stopped), strict=True):
        assert short == whole[: len(short)]
        letters = "".join(VOCABULARY.decode(token for token in short if token != 2))
        assert not any(stop in letters[:-1] for stop in ("c", "ab"))
        assert len(short) == len(whole) or letters.endswith(("c", "ab"))


def test_a_penalty_makes_texts_repeat_less(stepper: Stepper) -> None:
    def distinct(penalty: float) -> float:
        texts = ids(written(stepper, num=50, length=10, repetition_penalty=penalty))
        return sum(len(set(text)) / len(text) for text in texts)

    assert distinct(3.0) > distinct(1.0)
