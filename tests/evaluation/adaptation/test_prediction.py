"""rnnlm/evaluation/adaptation/prediction.py"""

from __future__ import annotations

import itertools

import pytest
import torch

from rnnlm.data.batching import Documents, Streams
from rnnlm.evaluation.adaptation.neural_cache import NeuralCache
from rnnlm.evaluation.adaptation.prediction import predict
from rnnlm.model.language_model import LanguageModel
from rnnlm.model.stepper import Stepper
from tests.support import networks

V, BEGIN = 9, 1


@pytest.fixture
def network() -> LanguageModel:
    return networks.network("gru", "embed", 2, vocab_size=V, dropout=0.5)


def one_by_one(network: LanguageModel, ids: list[int], begin: int | None) -> list[float]:
    """The probability of each predicted token, from the zero state at each `begin`."""
    stepper = Stepper(network)
    state, found = network.initial_state(1), []
    for token, following in itertools.pairwise(ids):
        if token == begin:
            state = network.initial_state(1)
        state = stepper.read(torch.tensor([token]), state)
        if following != begin:
            found.append(stepper.logits(state).softmax(1)[0, following].item())
    return found


@pytest.mark.parametrize("steps", [1, 7, 1000])
def test_each_token_of_a_text_is_predicted_from_all_before_it(
    network: LanguageModel, steps: int
) -> None:
    ids_N = torch.randint(2, V, (60,), generator=torch.Generator().manual_seed(3))
    found = predict(network, Streams(ids_N, 1, 25), steps).network_N
    expected = one_by_one(network, ids_N.tolist(), None)
    torch.testing.assert_close(found, torch.tensor(expected).double(), rtol=1e-4, atol=0)


@pytest.mark.parametrize("steps", [2, 1000])
def test_documents_come_back_in_the_order_of_the_text(network: LanguageModel, steps: int) -> None:
    generator = torch.Generator().manual_seed(3)
    documents = [
        torch.cat([torch.tensor([BEGIN]), torch.randint(2, V, (length,), generator=generator)])
        for length in (9, 2, 14, 5, 5, 1)
    ]
    ids_N = torch.cat(documents)
    cache = NeuralCache(100, [1.0, 2.0])
    found = predict(network, Documents(ids_N, 4, 6, BEGIN), steps, cache)
    expected = one_by_one(network, ids_N.tolist(), BEGIN)
    torch.testing.assert_close(found.network_N, torch.tensor(expected).double(), rtol=1e-4, atol=0)
    # The cache does not keep tokens of another document.
    assert found.cache_FN is not None
    alone = [predict(network, Streams(d, 1, 20), 20, cache).cache_FN for d in documents]
    expected_FN = torch.cat([p_FN for p_FN in alone if p_FN is not None], 1)
    torch.testing.assert_close(found.cache_FN, expected_FN)
