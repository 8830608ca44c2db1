"""The recurrent cells. A cell turns the inputs of its layer into hidden states.

Parameters, their initialisation and the order of the gates are those of `torch.nn.RNN`, `LSTM` and
`GRU`. The biases are here; W_ih belongs to the inputs (the features, or the layer below).

The implementations of a recurrence agree (tests/model): the scan of `rnnlm/model/scan.py`, that
of `rnnlm/model/gpu_scan.py` on a GPU, and for the LSTM oneDNN's kernel on a CPU, where that is
faster.

To add a cell, see CONTRIBUTING.md: `num_gates` and `step` are all that it must have.

The input part of the gates, x W_ihᵀ + b, is the input's share of the gates before activation. It
is what `gates_…` names hold.

Shapes: T time, B batch, H hidden; the suffix G stands for `num_gates` · H numbers, H for each gate.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from rnnlm.model.gpu_scan import GPUGRUScan, GPULSTMScan, GPURNNScan, runs_on_gpu
from rnnlm.model.layer_input import Dense, LayerInput
from rnnlm.model.onednn_lstm import onednn_lstm, takes
from rnnlm.model.options import ModelConfig
from rnnlm.model.product import multiplied_dtype
from rnnlm.model.scan import GRUScan, LSTMScan, RNNScan

# The state that a cell carries from step to step: (h,) or, for the LSTM, (h, c), each (B, H).
CellState = tuple[Tensor, ...]


class Cell(nn.Module, ABC):
    """One layer's recurrence."""

    Config: ClassVar[type[ModelConfig]] = ModelConfig
    num_gates: ClassVar[int]
    # The number of tensors in the state: 1 for (h,), 2 for the (h, c) of the LSTM.
    num_states: ClassVar[int] = 1

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        hidden = config.hidden_size
        self.hidden_size = hidden
        self.weight_dropout = config.weight_dropout
        self.weight_hh = nn.Parameter(torch.empty(self.num_gates * hidden, hidden))
        self.bias_ih = nn.Parameter(torch.empty(self.num_gates * hidden))
        self.bias_hh = nn.Parameter(torch.empty(self.num_gates * hidden))
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -1 / math.sqrt(hidden), 1 / math.sqrt(hidden))

    def forward(self, layer_input: LayerInput, state: CellState | None) -> tuple[Tensor, CellState]:
        """Return the hidden states of all time steps, (T, B, H), and the last state.

        In training, a share `weight_dropout` of the hidden-to-hidden weights is zeroed, the same
        ones for all time steps (DropConnect, Wan et al. 2013; Merity et al. 2018, section 2).

        Args:
            layer_input: gives the input part of the gates; its bias is `input_bias`.
            state: the state before the first step; None is the zero state.
        """
        weight_GH = nn.functional.dropout(self.weight_hh, self.weight_dropout, self.training)
        dtype = multiplied_dtype(weight_GH)
        gates_TBG = layer_input.gates()
        state = state or self.zero_state(gates_TBG.shape[1])
        with torch.autocast(gates_TBG.device.type, enabled=False):
            return self.scan(gates_TBG, weight_GH, state, dtype)

    def input_bias(self) -> Tensor:
        """The biases that are added to the gates' input part, (G,)."""
        return self.bias_ih + self.bias_hh

    def recurrent_bias(self) -> Tensor:
        """The biases that are added to the hidden-to-hidden product, (G,)."""
        return torch.zeros_like(self.bias_hh)

    def zero_state(self, batch_size: int) -> CellState:
        """The state before the first step."""
        zeros_BH = self.weight_hh.new_zeros(batch_size, self.hidden_size)
        return (zeros_BH,) * self.num_states

    def scan(
        self, gates_TBG: Tensor, weight_GH: Tensor, state: CellState, dtype: torch.dtype
    ) -> tuple[Tensor, CellState]:
        """Do all time steps from a state, with the factors of products rounded to `dtype`.

        Here autograd differentiates the steps. A cell is faster if it overrides this with a
        backward pass of its own, as in `rnnlm/model/scan.py`.

        Returns:
            The hidden states (T, B, H), and the last state.
        """
        bias_G, hidden_TBH = self.recurrent_bias(), []
        for gates_BG in gates_TBG:
            product_BG = nn.functional.linear(state[0].to(dtype), weight_GH.to(dtype))
            state = self.step(gates_BG, product_BG.to(gates_BG.dtype) + bias_G, state)
            hidden_TBH.append(state[0])
        return torch.stack(hidden_TBH), state

    @abstractmethod
    def step(self, gates_BG: Tensor, recurrent_BG: Tensor, state: CellState) -> CellState:
        """Do one time step.

        Args:
            gates_BG: the gates' input part at this step, x W_ihᵀ + `input_bias`, before activation;
                its shape is (B, `num_gates` · H).
            recurrent_BG: the hidden-to-hidden product, h W_hhᵀ + `recurrent_bias`, of that shape.
            state: the state before the step, `num_states` tensors (B, H); the first is h. They must
                not be changed in place.

        Returns:
            The state after the step, as many tensors (B, H); the first is the cell's output.
        """


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

    def scan(
        self, gates_TBG: Tensor, weight_GH: Tensor, state: CellState, dtype: torch.dtype
    ) -> tuple[Tensor, CellState]:
        scan: Any = GPURNNScan if runs_on_gpu(gates_TBG) else RNNScan
        outputs_TBH = scan.apply(gates_TBG, weight_GH, *state, self.relu, dtype)
        return outputs_TBH, (outputs_TBH[-1],)

    def step(self, gates_BG: Tensor, recurrent_BG: Tensor, state: CellState) -> CellState:
        total_BH = gates_BG + recurrent_BG
        return (total_BH.relu() if self.relu else total_BH.tanh(),)


class LSTM(Cell):
    """Long short-term memory, without peepholes."""

    num_gates = 4
    num_states = 2

    def forward(self, layer_input: LayerInput, state: CellState | None) -> tuple[Tensor, CellState]:
        if not self.is_fused(layer_input):
            return super().forward(layer_input, state)
        weight_GH = nn.functional.dropout(self.weight_hh, self.weight_dropout, self.training)
        h_BH, c_BH = state or self.zero_state(_batch_size(layer_input))
        return onednn_lstm(layer_input, weight_GH, self.recurrent_bias(), (h_BH, c_BH))

    def is_fused(self, layer_input: LayerInput) -> bool:
        """Tell whether oneDNN's kernel is the faster one for this layer (`experiments/speed/`).

        It is not used under autocast, which would round the states. It is not used for a large
        table either, which it would have to multiply by an identity matrix.
        """
        is_float32 = multiplied_dtype(self.weight_hh) == torch.float32
        return self.weight_hh.is_cpu and is_float32 and takes(layer_input, self.hidden_size)

    def scan(
        self, gates_TBG: Tensor, weight_GH: Tensor, state: CellState, dtype: torch.dtype
    ) -> tuple[Tensor, CellState]:
        scan: Any = GPULSTMScan if runs_on_gpu(gates_TBG) else LSTMScan
        outputs_TBH, c_BH = scan.apply(gates_TBG, weight_GH, *state, dtype)
        return outputs_TBH, (outputs_TBH[-1], c_BH)

    def step(self, gates_BG: Tensor, recurrent_BG: Tensor, state: CellState) -> CellState:
        total_BG = gates_BG + recurrent_BG
        _, c_BH = state
        i, f, _, o = _sigmoid(total_BG).chunk(4, 1)
        c_BH = f * c_BH + i * total_BG.chunk(4, 1)[2].tanh()
        return o * c_BH.tanh(), c_BH


class GRU(Cell):
    """Gated recurrent unit, with the reset gate applied after the hidden-to-hidden product."""

    num_gates = 3

    def input_bias(self) -> Tensor:
        # The hidden-to-hidden bias of n is not here: the reset gate multiplies it.
        return torch.cat(
            [
                self.bias_ih[: -self.hidden_size] + self.bias_hh[: -self.hidden_size],
                self._input_bias_n,
            ]
        )

    def recurrent_bias(self) -> Tensor:
        return torch.cat([torch.zeros_like(self.bias_hh[: -self.hidden_size]), self._hidden_bias_n])

    @property
    def _input_bias_n(self) -> Tensor:
        return self.bias_ih[-self.hidden_size :]

    @property
    def _hidden_bias_n(self) -> Tensor:
        return self.bias_hh[-self.hidden_size :]

    def scan(
        self, gates_TBG: Tensor, weight_GH: Tensor, state: CellState, dtype: torch.dtype
    ) -> tuple[Tensor, CellState]:
        scan: Any = GPUGRUScan if runs_on_gpu(gates_TBG) else GRUScan
        outputs_TBH = scan.apply(gates_TBG, weight_GH, self._hidden_bias_n, *state, dtype)
        return outputs_TBH, (outputs_TBH[-1],)

    def step(self, gates_BG: Tensor, recurrent_BG: Tensor, state: CellState) -> CellState:
        (h_BH,) = state
        r, z, _ = _sigmoid(gates_BG + recurrent_BG).chunk(3, 1)
        n = (gates_BG.chunk(3, 1)[2] + r * recurrent_BG.chunk(3, 1)[2]).tanh()
        return (n + z * (h_BH - n),)


def _batch_size(layer_input: LayerInput) -> int:
    if isinstance(layer_input, Dense):
        return layer_input.x.shape[-2]
    index = layer_input.index
    return layer_input.table_RG.shape[-2] if index is None else index.shape[-1]


def _sigmoid(x: Tensor) -> Tensor:
    """Sigmoid by tanh: the rounding of PyTorch's sigmoid depends on the place in memory."""
    return x.mul(0.5).tanh_().mul_(0.5).add_(0.5)


def cells() -> dict[str, type[Cell]]:
    """Return every cell by its name in `conf/model/`."""
    return {cell.__name__.lower(): cell for cell in Cell.__subclasses__()}
