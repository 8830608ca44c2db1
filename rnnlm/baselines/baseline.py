"""What every baseline is: a model without training steps, measured on the same splits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from rnnlm.data.preparation import PreparedCorpus
from rnnlm.data.tokens.tokenised import Split
from rnnlm.metrics import Metrics
from rnnlm.model.options import ModelConfig

# The figures of each split, by their names in a record; None where a baseline has no such figure.
Measured = dict[str, dict[str, float | None]]


@dataclass
class BaselineConfig(ModelConfig):
    """Options of every baseline: those of the cells, so that it can stand in one grid with them.

    They have no effect on it.
    """


class Baseline(ABC):
    """A model that learns from the train split in one pass: what a network has to beat."""

    name: ClassVar[str]
    Config: ClassVar[type[BaselineConfig]] = BaselineConfig

    def __init__(self, config: BaselineConfig) -> None:
        self.config = config
        # How many numbers it has learned, known once it has; None where it keeps none.
        self.num_parameters: int | None = None
        # What it has found out on the validation split, by option.
        self.chosen: dict[str, Any] = {}
        # The same and what else is worth knowing, in words.
        self.notes: list[str] = []

    @abstractmethod
    def measure(self, corpus: PreparedCorpus) -> Measured:
        """Learn from train and predict every split.

        Args:
            corpus: set up.

        Returns:
            For each of SPLITS `loss` (nats per predicted token), `ppl`, `bpc` (bits per character
            of the text), `num_tokens` and `num_chars`, as `Metrics` defines them.
        """


def metrics_of(split: Split, total_nats: float) -> dict[str, float | None]:
    """A split's figures from the total negative log-likelihood of its predicted tokens."""
    metrics = Metrics.of(total_nats, split.num_tokens, split.num_chars, split.unknown_nats)
    return {**metrics.to_dict()}
