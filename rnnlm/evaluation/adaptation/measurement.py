"""A trained network on the held-out splits, with any of the methods of adaptation.

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
from rnnlm.data.batching import Documents, Streams
from rnnlm.data.evaluation_batches import for_adaptation
from rnnlm.data.preparation import PreparedCorpus
from rnnlm.data.texts.splitting import TEST, TRAIN, VALIDATION
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
    AdaptationVariant,
)
from rnnlm.evaluation.adaptation.prediction import STEPS, TokenProbabilities, predict
from rnnlm.model.language_model import LanguageModel

# Dynamic evaluation learns after this many time steps.
DYNAMIC_STEPS = 20
# The number of segments for the mean squares of gradients, and for the choice of settings.
STATISTIC_SEGMENTS, SEARCH_SEGMENTS = 200, 400
# The values of θ that are tried for the cache.
FLATNESSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
HELD_OUT = (VALIDATION, TEST)

log = logging.getLogger(__name__)


class Measurement:
    """Measures adaptation variants of a network; what several of them need is computed once."""

    def __init__(
        self, network: LanguageModel, corpus: PreparedCorpus, config: AdaptationConfig
    ) -> None:
        self._network, self._corpus, self._config = network, corpus, config
        self.device = network.output.weight.device

    @property
    def precision(self) -> str:
        """The precision of the weights, which is that of the measurement, by Lightning's name."""
        return f"{torch.finfo(self._network.output.weight.dtype).bits}-true"

    def measure(
        self, variant: AdaptationVariant
    ) -> tuple[dict[str, dict[str, float]], dict[str, Any]]:
        """Return the metrics of validation and test, and the settings chosen on validation."""
        network = self._dynamic if DYNAMIC in variant else self._static
        candidates = range(len(FLATNESSES) if CACHE in variant else 1)
        on_validation = [self._components(variant, network, VALIDATION, f) for f in candidates]
        weights = [best_weights(probability_MN) for probability_MN in on_validation]
        losses = [loss(mixed(p, w)) for p, w in zip(on_validation, weights, strict=True)]
        best = min(candidates, key=lambda flatness: losses[flatness])
        chosen: dict[str, Any] = {}
        if DYNAMIC in variant:
            chosen |= dataclasses.asdict(self._settings)
        if CACHE in variant:
            chosen["flatness"] = FLATNESSES[best]
        if KNESER_NEY in variant:
            chosen["order"] = self._kneser_ney[1]
        names = ["network", *(name for name in variant if name != DYNAMIC)]
        if len(names) > 1:
            chosen["weights"] = dict(zip(names, weights[best].tolist(), strict=True))
        metrics = {}
        for name in HELD_OUT:
            split = self._corpus.splits[name]
            mixed_N = mixed(self._components(variant, network, name, best), weights[best])
            metrics[name] = split.metrics(loss(mixed_N) * len(mixed_N)).to_dict()
        return metrics, chosen

    def _components(
        self,
        variant: AdaptationVariant,
        network: dict[str, TokenProbabilities],
        split: str,
        flatness: int,
    ) -> Tensor:
        """Return the probability of each token by each model of the mixture, (M, N)."""
        predicted = network[split]
        components = [predicted.network_N]
        if CACHE in variant:
            assert predicted.cache_FN is not None
            components.append(predicted.cache_FN[flatness])
        if KNESER_NEY in variant:
            components.append(self._kneser_ney[0][split])
        return torch.stack([component.cpu() for component in components])

    def _batches(self, split: str) -> Streams | Documents:
        part = self._corpus.splits[split]
        batching = self._corpus.config.batching
        return for_adaptation(batching, part.ids_N, part.begin_id).to(self.device)

    @cached_property
    def _static(self) -> dict[str, TokenProbabilities]:
        return self._predicted(STEPS, None)

    @cached_property
    def _dynamic(self) -> dict[str, TokenProbabilities]:
        return self._predicted(
            DYNAMIC_STEPS, DynamicEvaluation(self._network, self._roots, self._settings)
        )

    def _predicted(
        self, steps: int, dynamic: DynamicEvaluation | None
    ) -> dict[str, TokenProbabilities]:
        size = self._config.cache
        cache = None if size is None else NeuralCache(size, FLATNESSES)
        return {
            name: predict(self._network, self._batches(name), steps, cache, dynamic)
            for name in HELD_OUT
        }

    @cached_property
    def _roots(self) -> list[Tensor]:
        """The roots from the train split, read in batches as large as those of validation."""
        batch_size = next(iter(self._batches(VALIDATION))).inputs_TB.shape[1]
        split = self._corpus.splits[TRAIN]
        streams = Streams(split.ids_N, batch_size, DYNAMIC_STEPS, split.begin_id).to(self.device)
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
        """The probabilities of the n-grams with the best order on validation, and that order."""
        probabilities, order = KneserNey(KneserNeyConfig()).probabilities(self._corpus)
        return {name: torch.from_numpy(p_N) for name, p_N in probabilities.items()}, order


def loss(probability_N: Tensor) -> float:
    """Return the loss in nats per token."""
    return -probability_N.log().mean().item()
