"""rnnlm/model/size.py"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.model.cells import cells
from rnnlm.model.features import EmbedConfig, FeaturesConfig, features
from rnnlm.model.language_model import LanguageModel, num_parameters
from rnnlm.model.options import ModelConfig
from rnnlm.model.size import meet_budget
from rnnlm.options import OptionError


@given(
    st.sampled_from(sorted(cells())),
    st.sampled_from(sorted(features())),
    st.integers(250_000, 3_000_000),
    st.integers(1, 2),
)
@settings(deadline=None, max_examples=40)
def test_the_budget_is_met_within_a_hundredth(
    cell: str, kind: str, budget: int, layers: int
) -> None:
    model = cells()[cell].Config(name=cell, num_parameters=budget, num_layers=layers)
    options = features()[kind].Config(name=kind)
    sized, _ = meet_budget(70, model, options)
    has = num_parameters(LanguageModel(70, sized, options))
    assert abs(has - budget) <= 0.01 * budget
    # And no other hidden size comes nearer.
    for other in (sized.hidden_size - 1, sized.hidden_size + 1):
        network = LanguageModel(70, replace(sized, hidden_size=other), options)
        assert abs(num_parameters(network) - budget) >= abs(has - budget)


def test_a_tied_embedding_is_as_wide_as_the_state() -> None:
    model = ModelConfig("lstm", num_parameters=500_000, tie_weights=True)
    sized, kind = meet_budget(1000, model, EmbedConfig("embed", embedding_size=7))
    assert isinstance(kind, EmbedConfig)
    assert kind.embedding_size == sized.hidden_size
    assert abs(num_parameters(LanguageModel(1000, sized, kind)) - 500_000) <= 5_000


@pytest.mark.parametrize("tie_weights", [False, True])
def test_a_budget_counts_an_embedding_as_wide_as_the_vocabulary(tie_weights: bool) -> None:
    model = ModelConfig("gru", num_parameters=500_000, tie_weights=tie_weights)
    sized, kind = meet_budget(300, model, EmbedConfig("embed", embedding_size=None))
    assert isinstance(kind, EmbedConfig)
    # A tied embedding is as wide as the state, whatever the option says.
    assert kind.embedding_size == (sized.hidden_size if tie_weights else None)
    assert abs(num_parameters(LanguageModel(300, sized, kind)) - 500_000) <= 5_000


def test_without_a_budget_nothing_changes() -> None:
    model, kind = ModelConfig("gru", hidden_size=33), FeaturesConfig("onehot")
    assert meet_budget(70, model, kind) == (model, kind)


@pytest.mark.parametrize("budget", [1, 500, 9_100])
def test_a_budget_that_cannot_be_met_is_refused_with_what_is_nearest(budget: int) -> None:
    model = ModelConfig("lstm", num_parameters=budget)
    with pytest.raises(OptionError, match=r"model.num_parameters: no lstm .* the nearest has \d"):
        meet_budget(70, model, EmbedConfig("embed"))
