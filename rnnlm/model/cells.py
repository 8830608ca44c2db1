"""The recurrent cells. A cell turns its gates' input part into hidden states.

A cell is handed `x W_ih + b_ih` for all its gates and time steps, and adds the recurrence; where x
comes from (features, or the layer below) is not its business. Parameters, their initialisation and
the order of the gates are those of `torch.nn.RNN`, `LSTM` and `GRU`.

To add a cell, subclass `Cell` here and add `conf/model/<class name in lower case>.yaml`.

Shapes: T time, B batch, H hidden, G gates.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

import torch
from torch import Tensor, nn

from rnnlm.model.config import ModelConfig
from rnnlm.model.scan import GRUScan, LSTMScan, RNNScan

# What a cell carries from one step to the next: (h,) or, for the LSTM, (h, c), each (B, H).
CellState = tuple[Tensor, ...]


class Cell(nn.Module, ABC):
    """One layer's recurrence."""

    Config: ClassVar[type[ModelConfig]] = ModelConfig
    num_gates: ClassVar[int]
    num_states: ClassVar[int] = 1

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        hidden = config.hidden_size
        self.hidden_size = hidden
        self.weight_hh = nn.Parameter(torch.empty(self.num_gates * hidden, hidden))
        self.bias_hh = nn.Parameter(torch.empty(self.num_gates * hidden))
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -1 / math.sqrt(hidden), 1 / math.sqrt(hidden))

    def forward(self, gates_TBG: Tensor, state: CellState | None) -> tuple[Tensor, CellState]:
        """All time steps: hidden states (T, B, H) and the state after the last.

        States and accumulations keep the parameters' precision, also under autocast.
        """
        gates_TBG = gates_TBG.to(self.weight_hh.dtype)
        if state is None:
            zeros_BH = gates_TBG.new_zeros(gates_TBG.shape[1], self.hidden_size)
            state = (zeros_BH,) * self.num_states
        with torch.autocast(gates_TBG.device.type, enabled=False):
            return self.scan(gates_TBG, state)

    @abstractmethod
    def scan(self, gates_TBG: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """All time steps from a given state."""

    @abstractmethod
    def step(self, gates_BG: Tensor, state: CellState) -> CellState:
        """One time step: the state after it, whose first part is the output."""


class RNNNonlinearity(Enum):
    """The RNN's activation function."""

    tanh = "tanh"
    relu = "relu"


@dataclass
class RNNConfig(ModelConfig):
    """Options of `model=rnn`."""

    nonlinearity: RNNNonlinearity = RNNNonlinearity.tanh


class RNN(Cell):
    """Elman's simple recurrent network, with tanh or relu."""

    Config = RNNConfig
    num_gates = 1

    def __init__(self, config: RNNConfig) -> None:
        super().__init__(config)
        self.relu = config.nonlinearity is RNNNonlinearity.relu

    def scan(self, gates_TBG: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        outputs_TBH = RNNScan.apply(gates_TBG, self.weight_hh, self.bias_hh, *state, self.relu)
        return outputs_TBH, (outputs_TBH[-1],)

    def step(self, gates_BG: Tensor, state: CellState) -> CellState:
        total_BH = gates_BG + nn.functional.linear(state[0], self.weight_hh, self.bias_hh)
        return (total_BH.relu() if self.relu else total_BH.tanh(),)


class LSTM(Cell):
    """Long short-term memory, without peepholes."""

    num_gates = 4
    num_states = 2

    def scan(self, gates_TBG: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        outputs_TBH, cells_TBH = LSTMScan.apply(gates_TBG, self.weight_hh, self.bias_hh, *state)
        return outputs_TBH, (outputs_TBH[-1], cells_TBH[-1])

    def step(self, gates_BG: Tensor, state: CellState) -> CellState:
        h_BH, c_BH = state
        total_BG = gates_BG + nn.functional.linear(h_BH, self.weight_hh, self.bias_hh)
        i, f, g, o = total_BG.chunk(4, 1)
        c_BH = f.sigmoid() * c_BH + i.sigmoid() * g.tanh()
        return o.sigmoid() * c_BH.tanh(), c_BH


class GRU(Cell):
    """Gated recurrent unit, with the reset gate applied after the hidden-to-hidden product."""

    num_gates = 3

    def scan(self, gates_TBG: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        outputs_TBH = GRUScan.apply(gates_TBG, self.weight_hh, self.bias_hh, *state)
        return outputs_TBH, (outputs_TBH[-1],)

    def step(self, gates_BG: Tensor, state: CellState) -> CellState:
        (h_BH,) = state
        recurrent_BG = nn.functional.linear(h_BH, self.weight_hh, self.bias_hh)
        r, z, n = gates_BG.chunk(3, 1)
        recurrent_r, recurrent_z, recurrent_n = recurrent_BG.chunk(3, 1)
        n = (n + (r + recurrent_r).sigmoid() * recurrent_n).tanh()
        z = (z + recurrent_z).sigmoid()
        return ((1 - z) * n + z * h_BH,)


def cells() -> dict[str, type[Cell]]:
    """Every cell by the name it has in `conf/model/`."""
    return {cell.__name__.lower(): cell for cell in Cell.__subclasses__()}
