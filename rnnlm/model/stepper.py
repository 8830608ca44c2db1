"""One token at a time: a trained network laid out for writing.

Shapes: B batch, V vocabulary, H hidden, G gates; I numbers that belong to a token.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnnlm.model.cells import CellState
from rnnlm.model.language_model import LanguageModel, State
from rnnlm.model.product import RowwiseLinear

# A table of the gates of the whole vocabulary may have so many entries.
_MOST_TABLE_ENTRIES = 2**22


class Stepper:
    """A network in evaluation, whose matrices are laid out once; nothing of it has a gradient.

    On a CPU in float32 each sequence gets the same bits whatever sequences stand beside it.
    """

    def __init__(self, network: LanguageModel) -> None:
        self.network = network
        self._cells = network.layers()
        with torch.no_grad():
            table, weight_GI = network.features.vectors
            bias_G = self._cells[0].input_bias()
            # The first layer's gates for each token, or what they are made of.
            self._of_vector: RowwiseLinear | None = None
            self._bias_G: Tensor | None = None
            if len(table) * len(bias_G) <= _MOST_TABLE_ENTRIES:
                table = table if weight_GI is None else nn.functional.linear(table, weight_GI)
                table = table + bias_G
            elif weight_GI is not None:
                self._of_vector = RowwiseLinear(weight_GI, bias_G)
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
        """Where the network is."""
        return self._table.device

    @property
    def vocab_size(self) -> int:
        """How many tokens there are."""
        return self.network.output.out_features

    def read(self, tokens_B: Tensor, state: State) -> State:
        """The state after one token more of each sequence."""
        gates_BG = self._table.index_select(0, tokens_B)
        if self._of_vector is not None:
            gates_BG = self._of_vector(gates_BG)
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
        """What is predicted in a state, (B, V)."""
        hidden_BH = state[-1][0]
        return self._output(self._projection(hidden_BH) if self._projection else hidden_BH)
