"""The hidden size that meets a budget of parameters, to compare cells of equal size."""

from __future__ import annotations

from dataclasses import replace

import torch

from rnnlm.model.features import EmbedConfig, FeaturesConfig
from rnnlm.model.language_model import LanguageModel, num_parameters
from rnnlm.model.options import ModelConfig
from rnnlm.options import OptionError

OPTION = "model.num_parameters"
# The largest relative difference between a network's size and its budget.
TOLERANCE = 0.01


def meet_budget(
    vocab_size: int, model: ModelConfig, features: FeaturesConfig
) -> tuple[ModelConfig, FeaturesConfig]:
    """Return the options with the hidden size that comes nearest to `model.num_parameters`.

    Without a budget they stay as they are. A tied embedding is as wide as the hidden state.

    Raises:
        OptionError: no hidden size comes within 1 % of the budget.
    """
    budget = model.num_parameters
    if budget is None:
        return model, features

    def sized(hidden_size: int) -> tuple[ModelConfig, FeaturesConfig]:
        resized = replace(model, hidden_size=hidden_size)
        if model.tie_weights and isinstance(features, EmbedConfig):
            return resized, replace(features, embedding_size=hidden_size)
        return resized, features

    def size(hidden_size: int) -> int:
        with torch.device("meta"):
            return num_parameters(LanguageModel(vocab_size, *sized(hidden_size)))

    # Bisect, since a wider network has more parameters.
    low, high = 1, 2
    while size(high) < budget:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size(middle) < budget else (low, middle)
    nearest = min((low, high), key=lambda hidden_size: abs(size(hidden_size) - budget))
    if abs(size(nearest) - budget) > TOLERANCE * budget:
        raise OptionError(
            OPTION,
            f"no {model.name} with features={features.name} comes within 1 % of {budget:,}, the "
            f"nearest has {size(nearest):,} with a hidden size of {nearest}",
        )
    return sized(nearest)
