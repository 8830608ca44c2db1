"""A trained network on the held-out splits, with any of the helps.

Shapes: M models of a mixture, N predicted tokens in the order of the text, F flatnesses.
"""

from __future__ import annotations

import dataclasses
import itertools
import logging
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from rnnlm.baselines.kneser_ney import KneserNey, KneserNeyConfig
from rnnlm.data.batching import Documents, Streams, for_evaluation
from rnnlm.data.corpus import Corpus
from rnnlm.data.splitting import TEST, TRAIN, VALIDATION
from rnnlm.evaluation.adaptation.dynamic_evaluation import (
    DynamicEvaluation,
    DynamicSettings,
    best_settings,
    gradient_roots,
)
from rnnlm.evaluation.adaptation.mixture import best_weights, mixed
from rnnlm.evaluation.adaptation.neural_cache import NeuralCache
from rnnlm.evaluation.adaptation.options import (
    CACHE,
    DYNAMIC,
    KNESER_NEY,
    AdaptationConfig,
    Variant,
)
from rnnlm.evaluation.adaptation.prediction import Predicted, predict
from rnnlm.metrics import Metrics
from rnnlm.model.language_model import LanguageModel

# The weights learn from the text after so many steps of it.
DYNAMIC_STEPS = 20
# What the mean squares of gradients and the choice of settings are made of, in such pieces.
STATISTIC_SEGMENTS, SEARCH_SEGMENTS = 200, 400
# The θ that a cache is tried with.
FLATNESSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
HELD_OUT = (VALIDATION, TEST)

log = logging.getLogger(__name__)


class Measurement:
    """What several rows need is computed once."""

    def __init__(self, network: LanguageModel, corpus: Corpus, config: AdaptationConfig) -> None:
        self._network, self._corpus, self._config = network, corpus, config
        self.device = network.output.weight.device

    @property
    def precision(self) -> str:
        """What it is measured in, which is what the weights are kept in, as Lightning calls it."""
        return f"{torch.finfo(self._network.output.weight.dtype).bits}-true"

    def figures(self, row: Variant) -> tuple[dict[str, dict[str, float]], dict[str, Any]]:
        """Of validation and test the figures of a record; and what was chosen on validation."""
        network = self._dynamic if DYNAMIC in row else self._static
        candidates = range(len(FLATNESSES) if CACHE in row else 1)
        of_validation = [self._components(row, network, VALIDATION, f) for f in candidates]
        weights = [best_weights(probability_MN) for probability_MN in of_validation]
        losses = [loss(mixed(p, w)) for p, w in zip(of_validation, weights, strict=True)]
        best = min(candidates, key=lambda flatness: losses[flatness])
        chosen: dict[str, Any] = {}
        if DYNAMIC in row:
            chosen |= dataclasses.asdict(self._settings)
        if CACHE in row:
            chosen["flatness"] = FLATNESSES[best]
        if KNESER_NEY in row:
            chosen["order"] = self._kneser_ney[1]
        names = ["network", *(name for name in row if name != DYNAMIC)]
        if len(names) > 1:
            chosen["weights"] = dict(zip(names, weights[best].tolist(), strict=True))
        figures = {}
        for name in HELD_OUT:
            split = self._corpus.splits[name]
            mixed_N = mixed(self._components(row, network, name, best), weights[best])
            nats = loss(mixed_N) * len(mixed_N)
            metrics = Metrics.of(nats, split.num_tokens, split.num_chars, split.unknown_nats)
            figures[name] = metrics.to_dict()
        return figures, chosen

    def _components(
        self, row: Variant, network: dict[str, Predicted], split: str, flatness: int
    ) -> Tensor:
        """What each model of a row's mixture thinks of each token, (M, N)."""
        predicted = network[split]
        components = [predicted.network_N]
        if CACHE in row:
            assert predicted.cache_FN is not None
            components.append(predicted.cache_FN[flatness])
        if KNESER_NEY in row:
            components.append(self._kneser_ney[0][split])
        return torch.stack([component.cpu() for component in components])

    def _batches(self, split: str) -> Streams | Documents:
        part = self._corpus.splits[split]
        batching = self._corpus.config.batching
        return for_evaluation(batching, part.ids_N, part.begin_id).to(self.device)

    @property
    def _cache(self) -> NeuralCache | None:
        size = self._config.cache
        return None if size is None else NeuralCache(size, FLATNESSES)

    @cached_property
    def _static(self) -> dict[str, Predicted]:
        return {
            name: predict(self._network, self._batches(name), cache=self._cache)
            for name in HELD_OUT
        }

    @cached_property
    def _dynamic(self) -> dict[str, Predicted]:
        settings = self._settings
        return {
            name: predict(
                self._network,
                self._batches(name),
                DYNAMIC_STEPS,
                self._cache,
                DynamicEvaluation(self._network, self._roots, settings),
            )
            for name in HELD_OUT
        }

    @cached_property
    def _roots(self) -> list[Tensor]:
        """From as many rows at once as the validation split is read in."""
        rows = next(iter(self._batches(VALIDATION))).inputs_TB.shape[1]
        split = self._corpus.splits[TRAIN]
        streams = Streams(split.ids_N, rows, DYNAMIC_STEPS, split.begin_id).to(self.device)
        return gradient_roots(self._network, itertools.islice(streams, STATISTIC_SEGMENTS))

    @cached_property
    def _settings(self) -> DynamicSettings:
        def loss_of(settings: DynamicSettings) -> float:
            dynamic = DynamicEvaluation(self._network, self._roots, settings)
            batches = self._batches(VALIDATION)
            predicted = predict(
                self._network, batches, DYNAMIC_STEPS, None, dynamic, SEARCH_SEGMENTS
            )
            found = loss(predicted.network_N)
            log.info("dynamic evaluation, %s: %.5f on the beginning of validation", settings, found)
            return found

        return best_settings(loss_of)

    @cached_property
    def _kneser_ney(self) -> tuple[dict[str, Tensor], int]:
        """Probabilities by the order that is the best on validation, and that order."""
        probabilities, order = KneserNey(KneserNeyConfig()).probabilities(self._corpus)
        return {name: torch.from_numpy(p_N) for name, p_N in probabilities.items()}, order


def loss(probability_N: Tensor) -> float:
    """In nats per token."""
    return -probability_N.log().mean().item()
