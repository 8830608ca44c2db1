"""The recurrent language model: features, a stack of cells, and a projection to the vocabulary.

Shapes: T time, B batch, V vocabulary, H hidden, G gates, L layers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import cast

from torch import Tensor, nn

from rnnlm.model.cells import Cell, CellState, cells
from rnnlm.model.config import ModelConfig
from rnnlm.model.features import FeaturesConfig, features

# The state of each of the L layers.
State = tuple[CellState, ...]


class LanguageModel(nn.Module):
    """p(token_{t+1} | token_1 … token_t), as logits over the vocabulary."""

    def __init__(
        self, vocab_size: int, model: ModelConfig, features_config: FeaturesConfig
    ) -> None:
        super().__init__()
        cell = cells()[model.cell]
        hidden, gates = model.hidden_size, cell.num_gates * model.hidden_size
        self.features = features()[features_config.name](
            features_config, vocab_size, cell.num_gates, hidden
        )
        self.cells = nn.ModuleList(cell(model) for _ in range(model.num_layers))
        # What the first layer has of its features, each further layer has of the one below.
        self.between = nn.ModuleList(nn.Linear(hidden, gates) for _ in range(model.num_layers - 1))
        for linear in self.between:
            for parameter in linear.parameters():
                nn.init.uniform_(parameter, -1 / math.sqrt(hidden), 1 / math.sqrt(hidden))
        self.dropout = nn.Dropout(model.dropout)
        self.output = nn.Linear(hidden, vocab_size)

    def forward(self, tokens_TB: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """A whole sequence: logits (T, B, V), and the state after the last token.

        Args:
            state: what the sequence continues from; None is the zero state.
        """
        new_state: list[CellState] = []
        gates_TBG = self.features(tokens_TB)
        for layer, cell in enumerate(self._layers()):
            hidden_TBH, cell_state = cell(gates_TBG, state[layer] if state else None)
            new_state.append(cell_state)
            hidden_TBH = self.dropout(hidden_TBH)
            if layer < len(self.between):
                gates_TBG = self.between[layer](hidden_TBH)
        return self.output(hidden_TBH), tuple(new_state)

    def step(self, tokens_B: Tensor, state: State) -> tuple[Tensor, State]:
        """One token of each sequence: logits (B, V), and the state after it."""
        new_state: list[CellState] = []
        gates_BG = self.features(tokens_B)
        for layer, cell in enumerate(self._layers()):
            cell_state = cell.step(gates_BG, state[layer])
            new_state.append(cell_state)
            hidden_BH = self.dropout(cell_state[0])
            if layer < len(self.between):
                gates_BG = self.between[layer](hidden_BH)
        return self.output(hidden_BH), tuple(new_state)

    def _layers(self) -> Iterator[Cell]:
        return (cast(Cell, cell) for cell in self.cells)

    def initial_state(self, batch_size: int) -> State:
        """The zero state of `batch_size` sequences."""
        weight = self.output.weight
        return tuple(
            tuple(weight.new_zeros(batch_size, cell.hidden_size) for _ in range(cell.num_states))
            for cell in self._layers()
        )


def detach(state: State) -> State:
    """The same state, cut off from the graph that made it (truncated backpropagation)."""
    return tuple(tuple(tensor.detach() for tensor in cell_state) for cell_state in state)


def num_parameters(network: nn.Module) -> int:
    """How many trainable numbers the network has."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
