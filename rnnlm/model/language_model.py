"""The recurrent language model: features, a stack of cells, and a projection to the vocabulary.

It reads whole sequences. `rnnlm/model/stepper.py` reads one token at a time.

Shapes: T time, B batch, N predictions, V vocabulary, E embedding, H hidden, G all gates
(`num_gates` · H), L layers; `…` is any shape.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn

from rnnlm.model.cells import Cell, CellState, cells
from rnnlm.model.cross_entropy import linear_cross_entropy
from rnnlm.model.features import Embed, FeaturesConfig, features
from rnnlm.model.layer_input import Dense, LayerInput
from rnnlm.model.options import ModelConfig
from rnnlm.model.product import linear

# The state of each of the L layers.
State = tuple[CellState, ...]


class LanguageModel(nn.Module):
    """The probability of the next token, p(token_{t+1} | token_1 … token_t)."""

    def __init__(
        self, vocab_size: int, model: ModelConfig, features_config: FeaturesConfig
    ) -> None:
        super().__init__()
        cell = cells()[model.name]
        hidden, gates = model.hidden_size, cell.num_gates * model.hidden_size
        self.features = features()[features_config.name](
            features_config, vocab_size, cell.num_gates, hidden
        )
        self.cells = nn.ModuleList(cell(model) for _ in range(model.num_layers))
        # W_ih of each layer but the first, whose W_ih belongs to the features. The name is in
        # checkpoints.
        self.between = nn.ParameterList(
            torch.empty(gates, hidden).uniform_(-1 / math.sqrt(hidden), 1 / math.sqrt(hidden))
            for _ in range(model.num_layers - 1)
        )
        self.dropout, self.variational_dropout = model.dropout, model.variational_dropout
        self.activation_regularization = model.activation_regularization
        self.temporal_activation_regularization = model.temporal_activation_regularization
        self.projection: nn.Linear | None = None
        if model.tie_weights:
            assert isinstance(self.features, Embed)
            embedding = self.features.embedding
            if embedding.embedding_dim != hidden:
                self.projection = nn.Linear(hidden, embedding.embedding_dim, bias=False)
            self.output = nn.Linear(embedding.embedding_dim, vocab_size)
            embedding.weight = self.output.weight
        else:
            self.output = nn.Linear(hidden, vocab_size)

    def hidden(self, tokens_TB: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return the last layer's outputs before dropout, (T, B, H), and the state after them.

        Args:
            state: the state before the first token; None is the zero state.
        """
        below, hidden_TBH, new_state = tokens_TB, tokens_TB, []
        for layer, cell in enumerate(self.layers()):
            layer_input = self._layer_input(layer, cell, below)
            hidden_TBH, cell_state = cell(layer_input, state[layer] if state else None)
            new_state.append(cell_state)
            if layer + 1 < len(self.cells):
                below = self.apply_dropout(hidden_TBH)
        return hidden_TBH, tuple(new_state)

    def forward(self, tokens_TB: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return the logits of a sequence, (T, B, V), and the state after its last token."""
        hidden_TBH, new_state = self.hidden(tokens_TB, state)
        return self.output(self.projected(self.apply_dropout(hidden_TBH))), new_state

    def nats(
        self, inputs_TB: Tensor, targets_TB: Tensor, state: State | None = None
    ) -> tuple[Tensor, State]:
        """Return the total negative log-likelihood of the targets in nats, and the last state."""
        hidden_TBH, new_state = self.hidden(inputs_TB, state)
        return self.nats_of(self.apply_dropout(hidden_TBH), targets_TB), new_state

    def nats_of(self, after_dropout_TBH: Tensor, targets_TB: Tensor) -> Tensor:
        """Return the targets' total nats, without all logits in memory at once.

        Args:
            after_dropout_TBH: the last layer's outputs after dropout.
        """
        output = self.output
        projected_NE = self.projected(after_dropout_TBH).flatten(0, 1)
        targets_N = targets_TB.flatten()
        return linear_cross_entropy(projected_NE, output.weight, output.bias, targets_N)

    def activation_penalty(self, hidden_TBH: Tensor, after_dropout_TBH: Tensor) -> Tensor | float:
        """Return AR plus TAR of Merity et al. 2018, section 4.7, to be added to the loss."""
        penalty: Tensor | float = 0.0
        if self.activation_regularization:
            penalty = self.activation_regularization * after_dropout_TBH.square().mean()
        if self.temporal_activation_regularization and len(hidden_TBH) > 1:
            change_TBH = hidden_TBH.diff(dim=0)
            weight = self.temporal_activation_regularization
            penalty = penalty + weight * change_TBH.square().mean()
        return penalty

    def projected(self, hidden: Tensor) -> Tensor:
        """Return the output layer's inputs, (…, H) or (…, E), in the type of the hidden states.

        Under autocast, `nn.Linear` would change the type, and the loss would be summed in it.
        """
        return hidden if self.projection is None else linear(hidden, self.projection.weight)

    def _layer_input(self, layer: int, cell: Cell, below: Tensor) -> LayerInput:
        """Return a cell's input, from tokens for the first layer, from hidden states for others."""
        bias_G = cell.input_bias()
        if layer == 0:
            return cast(LayerInput, self.features(below, bias_G))
        return Dense(below, self.between[layer - 1], bias_G)

    def apply_dropout(self, hidden_TBH: Tensor) -> Tensor:
        """Apply dropout to a layer's outputs, (T, B, H).

        Variational dropout uses one mask for all time steps.
        """
        hidden_TBH = nn.functional.dropout(hidden_TBH, self.dropout, self.training)
        if self.training and self.variational_dropout:
            ones_BH = torch.ones_like(hidden_TBH[0])
            hidden_TBH = hidden_TBH * nn.functional.dropout(ones_BH, self.variational_dropout)
        return hidden_TBH

    def layers(self) -> list[Cell]:
        """Return the cells, the lowest first."""
        return [cast(Cell, cell) for cell in self.cells]

    def initial_state(self, batch_size: int) -> State:
        """Return the zero state of `batch_size` sequences."""
        return tuple(cell.zero_state(batch_size) for cell in self.layers())


def detach(state: State) -> State:
    """Return the same state without its graph, to truncate backpropagation."""
    return tuple(tuple(tensor.detach() for tensor in cell_state) for cell_state in state)


def num_parameters(network: nn.Module) -> int:
    """Return the number of trainable parameters."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
