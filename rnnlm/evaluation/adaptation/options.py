"""Which helps a trained network is measured with, and which rows that makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rnnlm.options import option

DYNAMIC, CACHE, KNESER_NEY = "dynamic", "cache", "kneser_ney"
# A row: the helps that it is measured with, such as ("dynamic", "cache").
Row = tuple[str, ...]


@dataclass
class AdaptationConfig:
    """Options of what is measured besides the trained network by itself; off by default.

    They never change what is trained: a run that is completed gets the rows that it lacks. What
    each help leaves open is chosen on validation.
    """

    # The weights learn on from each piece of the text once it has been predicted
    # (rnnlm/evaluation/adaptation/dynamic_evaluation.py).
    dynamic: bool = option(False, affects_result=False)
    # How many of the tokens before are remembered with the hidden states that they followed
    # (rnnlm/evaluation/adaptation/neural_cache.py).
    cache: int | None = option(None, minimum=1, affects_result=False)
    # The probabilities are mixed with those of Kneser-Ney n-grams of the training text.
    kneser_ney: bool = option(False, affects_result=False)


def rows_of(config: AdaptationConfig) -> list[Row]:
    """A row for each help that is asked for, and one for all of them together."""
    values = {DYNAMIC: config.dynamic, CACHE: config.cache, KNESER_NEY: config.kneser_ney}
    helps = [name for name, value in values.items() if value]
    return [(name,) for name in helps] + ([tuple(helps)] if len(helps) > 1 else [])


def label(row: Row) -> str:
    """A row's name, such as `dynamic+cache`."""
    return "+".join(row)


def folder_name(row: Row, config: AdaptationConfig) -> str:
    """What a row's folder is called, such as `dynamic+cache=2000`: other sizes are other rows."""
    return "+".join(f"{CACHE}={config.cache}" if name == CACHE else name for name in row)


def options_of(row: Row, config: AdaptationConfig) -> dict[str, Any]:
    """The options that a row is of, by dotted name, as a record has them."""
    return {f"adaptation.{name}": getattr(config, name) for name in row}
