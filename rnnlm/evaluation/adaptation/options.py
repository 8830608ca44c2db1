"""Options of adaptation at test time, and the variants of a trained network that they ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rnnlm.options import option

DYNAMIC, CACHE, KNESER_NEY = "dynamic", "cache", "kneser_ney"
# The methods of adaptation that are used together, such as ("dynamic", "cache").
AdaptationVariant = tuple[str, ...]


@dataclass
class AdaptationConfig:
    """The methods by which a trained network adapts to the held-out text; all are off by default.

    They never change the training: a completed run gets the adaptation variants that it lacks. The
    settings of each method are chosen on the validation split.
    """

    # Dynamic evaluation: the weights go on learning from each part of the text after predicting it
    # (rnnlm/evaluation/adaptation/dynamic_evaluation.py).
    dynamic: bool = option(False, affects_result=False)
    # Neural cache: how many of the last tokens it stores, with the hidden states before them
    # (rnnlm/evaluation/adaptation/neural_cache.py).
    cache: int | None = option(None, minimum=1, affects_result=False)
    # Mix the probabilities with those of Kneser-Ney n-grams of the training split.
    kneser_ney: bool = option(False, affects_result=False)


def variants_of(config: AdaptationConfig) -> list[AdaptationVariant]:
    """Return the adaptation variants to measure: each chosen method alone, and all together."""
    values = {DYNAMIC: config.dynamic, CACHE: config.cache, KNESER_NEY: config.kneser_ney}
    methods = [name for name, value in values.items() if value]
    return [(name,) for name in methods] + ([tuple(methods)] if len(methods) > 1 else [])


def label(variant: AdaptationVariant) -> str:
    """The name of a variant, such as `dynamic+cache`."""
    return "+".join(variant)


def folder_name(variant: AdaptationVariant, config: AdaptationConfig) -> str:
    """The name of a variant's folder, such as `dynamic+cache=2000`."""
    return "+".join(f"{CACHE}={config.cache}" if name == CACHE else name for name in variant)


def options_of(variant: AdaptationVariant, config: AdaptationConfig) -> dict[str, Any]:
    """The options of a variant by dotted name, for its record."""
    return {f"adaptation.{name}": getattr(config, name) for name in variant}
