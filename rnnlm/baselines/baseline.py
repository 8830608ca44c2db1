"""The base class of baselines: models without training steps, measured on the same splits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from rnnlm.data.preparation import PreparedCorpus
from rnnlm.data.tokens.tokenized import Split
from rnnlm.model.options import ModelConfig

# The metrics of each split by their names in a record; None for a metric that a baseline lacks.
Measured = dict[str, dict[str, float | None]]


@dataclass
class BaselineConfig(ModelConfig):
    """Options of every baseline: those of the cells, so that one sweep can have both.

    They have no effect on a baseline.
    """


class Baseline(ABC):
    """A model that learns from the train split in one pass."""

    name: ClassVar[str]
    Config: ClassVar[type[BaselineConfig]] = BaselineConfig

    def __init__(self, config: BaselineConfig) -> None:
        self.config = config
        # The number of parameters, for n-grams the number of distinct n-grams; None before
        # `measure`, and for a compressor.
        self.num_parameters: int | None = None
        # The values of options that it has chosen on the validation split.
        self.chosen: dict[str, Any] = {}
        # Sentences about these choices and other results.
        self.notes: list[str] = []

    @abstractmethod
    def measure(self, corpus: PreparedCorpus) -> Measured:
        """Learn from the train split, and predict every split.

        Args:
            corpus: a corpus with its tokens.

        Returns:
            For each of SPLITS `loss` (nats per predicted token), `ppl`, `bpc` (bits per character
            of the text), `num_tokens` and `num_chars`, as `Metrics` defines them.
        """


def metrics_of(split: Split, total_nats: float) -> dict[str, float | None]:
    """Return a split's metrics from the total negative log-likelihood of its tokens in nats."""
    return {**split.metrics(total_nats).to_dict()}
