"""A small network that writes ten letters, and what it writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from rnnlm.data.tokens.vocabulary import Vocabulary
from rnnlm.generation.constraints import FreeText
from rnnlm.generation.options import GenerationOptions
from rnnlm.generation.sampling import Token, sample
from rnnlm.model.cells import cells
from rnnlm.model.features import FeaturesConfig
from rnnlm.model.language_model import LanguageModel
from rnnlm.model.stepper import Stepper

VOCABULARY = Vocabulary(["<unk>", "<bos>", "<eos>", *"abcdefghij"])
V = len(VOCABULARY)
PROMPT = [1, 5, 4, 7]


def small_network(cell: str = "lstm", seed: int = 0) -> LanguageModel:
    torch.manual_seed(seed)
    options = cells()[cell].Config(name=cell, hidden_size=12, num_layers=2, dropout=0.5)
    network = LanguageModel(V, options, FeaturesConfig("onehot"))
    with torch.no_grad():
        network.output.weight.mul_(5)
        for parameter in network.parameters():
            parameter.mul_(1.2)
    return network


def written(
    stepper: Stepper, *, stop: Sequence[str] = (), prompt: Sequence[int] = PROMPT, **options: Any
) -> list[list[Token]]:
    chosen = GenerationOptions(**{"length": 40, **options})
    texts: list[list[Token]] = [[] for _ in range(chosen.num)]
    for token in sample(stepper, prompt, FreeText(VOCABULARY, stop), chosen, with_nats=True):
        texts[token.number].append(token)
    return texts


def ids(texts: list[list[Token]]) -> list[list[int]]:
    return [[token.id for token in text] for text in texts]
