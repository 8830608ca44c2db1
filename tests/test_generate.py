"""rnnlm/generate.py"""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from scipy import stats

from rnnlm.generate import draw
from rnnlm.model.cells import cells
from rnnlm.model.features import FeaturesConfig
from rnnlm.model.language_model import LanguageModel

V = 7
PROMPT = torch.tensor([3, 1, 4, 1, 5])


@pytest.fixture(params=sorted(cells()))
def network(request: pytest.FixtureRequest) -> LanguageModel:
    torch.manual_seed(0)
    options = cells()[request.param].Config(name=request.param, hidden_size=12, dropout=0.5)
    network = LanguageModel(V, options, FeaturesConfig("onehot"))
    with torch.no_grad():
        network.output.weight *= 4
    return network


def test_a_seed_decides_what_is_drawn(network: LanguageModel) -> None:
    first, again, other = (draw(network, PROMPT, 40, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert len(first) == 40
    assert set(first) <= set(range(V))


def test_draws_follow_the_models_distribution_after_the_prompt(network: LanguageModel) -> None:
    drawn = Counter(draw(network, PROMPT, 1, seed)[0] for seed in range(2000))
    with torch.no_grad():
        network.eval()
        p_V = torch.softmax(network(PROMPT.unsqueeze(1))[0][-1, 0].double(), dim=-1).numpy()
    observed = [drawn[token] for token in range(V)]
    assert stats.chisquare(observed, 2000 * p_V).pvalue > 1e-3


def test_what_is_drawn_is_what_the_next_token_is_drawn_after(network: LanguageModel) -> None:
    drawn = draw(network, PROMPT, 30, seed=5)
    with torch.no_grad():
        network.eval()
        text = torch.cat([PROMPT, torch.tensor(drawn)])
        log_p = torch.log_softmax(network(text[:-1].unsqueeze(1))[0][:, 0].double(), dim=-1)
    own = log_p[len(PROMPT) - 1 :].gather(1, torch.tensor(drawn).unsqueeze(1)).mean()
    assert own > -stats.entropy([1] * V)  # better than even odds


def test_it_stops_before_the_end_token(network: LanguageModel) -> None:
    without = draw(network, PROMPT, 60, seed=3)
    end = without[10]
    assert draw(network, PROMPT, 60, 3, end_id=end) == without[: without.index(end)]


def test_the_network_is_left_as_it_was(network: LanguageModel) -> None:
    assert network.training
    draw(network, PROMPT, 3, seed=1)
    assert network.training
    network.eval()
    draw(network, PROMPT, 3, seed=1)
    assert not network.training
