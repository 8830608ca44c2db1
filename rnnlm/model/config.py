"""Options of the network that are not about its input features."""

from __future__ import annotations

from dataclasses import dataclass

from rnnlm.options import option


@dataclass
class ModelConfig:
    """Options of every cell."""

    cell: str = ""
    hidden_size: int = option(256, minimum=1)
    num_layers: int = option(1, minimum=1)
    # Probability that a unit of a layer's output is zeroed in training.
    dropout: float = option(0.0, minimum=0, below=1)
