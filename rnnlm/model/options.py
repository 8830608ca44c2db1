"""Options of every cell; those of the input features are in `features.py`."""

from __future__ import annotations

from dataclasses import dataclass

from rnnlm.options import option


@dataclass
class ModelConfig:
    """Options of every cell."""

    name: str = ""
    hidden_size: int = option(256, minimum=1)
    # A budget of trainable parameters; the hidden size that comes nearest to it replaces
    # `hidden_size`.
    num_parameters: int | None = option(None, minimum=1, maximum=10**12)
    num_layers: int = option(1, minimum=1)
    # Probability that a unit of a layer's output is zeroed in training.
    dropout: float = option(0.0, minimum=0, below=1)
    # Probability that a unit of a layer's output is zeroed in training, at all time steps of a
    # batch (Gal & Ghahramani 2016).
    variational_dropout: float = option(0.0, minimum=0, below=1)
    # Probability that a hidden-to-hidden weight is zeroed in training, for all time steps of a
    # batch (Wan et al. 2013; Merity et al. 2018).
    weight_dropout: float = option(0.0, minimum=0, below=1)
    # The embedding is also the projection to the vocabulary (Press & Wolf 2017; Inan et al. 2017).
    # A hidden state of another width is first projected to the embedding's width.
    tie_weights: bool = False
    # Weights of two terms of the loss in training: the mean square of the last layer's outputs, and
    # the mean square of their change from step to step (Merity et al. 2018, section 4.7).
    activation_regularization: float = option(0.0, minimum=0)
    temporal_activation_regularization: float = option(0.0, minimum=0)
