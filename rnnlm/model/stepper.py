"""A trained network that reads one token at a time, for writing.

Shapes: B batch, V vocabulary, E embedding, H hidden, G all gates (`num_gates` · H), I inputs of the
first layer.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnnlm.model.cells import CellState
from rnnlm.model.language_model import LanguageModel, State
from rnnlm.model.product import RowwiseLinear

# The largest table of the gates of the whole vocabulary, in entries.
_MOST_TABLE_ENTRIES = 2**22


class Stepper:
    """A network in evaluation, without gradients, whose matrices are laid out once in memory.

    On a CPU in float32 each sequence gets the same bits whatever the other sequences are.
    """

    def __init__(self, network: LanguageModel) -> None:
        self.network = network
        self._cells = network.layers()
        with torch.no_grad():
            table, weight_GI = network.features.vectors
            bias_G = self._cells[0].input_bias()
            # The first layer's gates of each token; of a large vocabulary, what makes them.
            self._input: RowwiseLinear | None = None
            self._bias_G: Tensor | None = None
            if len(table) * len(bias_G) <= _MOST_TABLE_ENTRIES:
                table = table if weight_GI is None else nn.functional.linear(table, weight_GI)
                table = table + bias_G
            elif weight_GI is not None:
                self._input = RowwiseLinear(weight_GI, bias_G)
            else:
                self._bias_G = bias_G
            self._table = table.detach()
            self._between = [
                RowwiseLinear(weight_GH, cell.input_bias())
                for weight_GH, cell in zip(network.between, self._cells[1:], strict=True)
            ]
            self._recurrent = [
                RowwiseLinear(cell.weight_hh, cell.recurrent_bias()) for cell in self._cells
            ]
            self._output = RowwiseLinear(network.output.weight, network.output.bias)
            self._projection: RowwiseLinear | None = None
            if network.projection is not None:
                weight_EH = network.projection.weight
                self._projection = RowwiseLinear(weight_EH, weight_EH.new_zeros(len(weight_EH)))

    @property
    def device(self) -> torch.device:
        """The device of the network."""
        return self._table.device

    @property
    def vocab_size(self) -> int:
        """The number of tokens."""
        return self.network.output.out_features

    def read(self, tokens_B: Tensor, state: State) -> State:
        """Return the state after one more token of each sequence."""
        gates_BG = self._table.index_select(0, tokens_B)
        if self._input is not None:
            gates_BG = self._input(gates_BG)
        elif self._bias_G is not None:
            gates_BG = gates_BG + self._bias_G
        new_state: list[CellState] = []
        for layer, cell in enumerate(self._cells):
            if layer > 0:
                gates_BG = self._between[layer - 1](new_state[-1][0])
            recurrent_BG = self._recurrent[layer](state[layer][0])
            new_state.append(cell.step(gates_BG, recurrent_BG, state[layer]))
        return tuple(new_state)

    def logits(self, state: State) -> Tensor:
        """Return the logits of the next token, (B, V)."""
        hidden_BH = state[-1][0]
        return self._output(self._projection(hidden_BH) if self._projection else hidden_BH)
