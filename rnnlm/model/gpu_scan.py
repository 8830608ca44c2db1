"""The recurrences of `rnnlm/model/scan.py` on a GPU: a step is one product and one kernel.

The values and gradients are those of the other scan up to rounding. Triton, which PyTorch brings
along on Linux, compiles the kernels (`rnnlm/model/gpu_kernels.py`). Where it is missing, the other
scan runs on the GPU too, only slower.

States and sums are float32. The factors of products are rounded to `dtype`.

Shapes: T time, B batch, H hidden; the suffix G stands for H numbers of each gate (RNN 1 gate, GRU
3, LSTM 4). `gates_TBG` is the input part of the gates. States are (B, H).
"""

from __future__ import annotations

import functools
import importlib
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from rnnlm.model.product import multiply

HAS_TRITON = find_spec("triton") is not None


def runs_on_gpu(states: Tensor) -> bool:
    """Tell whether the scan of these states is the one of this file."""
    return HAS_TRITON and states.is_cuda and states.dtype == torch.float32


@functools.cache
def _kernels() -> ModuleType:
    """The kernels. They are loaded with the first use of a GPU, since loading Triton takes time."""
    return importlib.import_module("rnnlm.model.gpu_steps")


def _with_factors(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """Return memory for a tensor's entries as factors of products: its own if their type is."""
    return tensor if tensor.dtype == dtype else torch.empty_like(tensor, dtype=dtype)


def _states(steps: int, first_BH: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return memory for the states before and after each step, (T + 1, B, H), and as factors."""
    states_TBH = first_BH.new_empty(steps + 1, *first_BH.shape)
    factors_TBH = _with_factors(states_TBH, dtype)
    states_TBH[0] = first_BH
    if factors_TBH is not states_TBH:
        factors_TBH[0] = first_BH
    return states_TBH, factors_TBH


def _weight_gradient(dgates_TBG: Tensor, states_TBH: Tensor) -> Tensor:
    """Return the gradient of the hidden-to-hidden weights, from factors."""
    return multiply(dgates_TBG.flatten(0, 1).t(), states_TBH[:-1].flatten(0, 1))


class GPURNNScan(Function):
    """`RNNScan` with one product and one kernel a step."""

    @staticmethod
    def forward(
        ctx: Any,
        gates_TBG: Tensor,
        weight_GH: Tensor,
        h0_BH: Tensor,
        relu: bool,
        dtype: torch.dtype,
    ) -> Tensor:
        """Return the hidden states of all steps, (T, B, H)."""
        gates_TBG = gates_TBG.contiguous()
        states_TBH, factors_TBH = _states(len(gates_TBG), h0_BH, dtype)
        kernels = _kernels()
        rounded, weight_HG = dtype != h0_BH.dtype, weight_GH.to(dtype).t()
        grid, count = kernels.grid(h0_BH), h0_BH.numel()
        for t, gates_BG in enumerate(gates_TBG):
            product_BG = multiply(factors_TBH[t], weight_HG)
            after = states_TBH[t + 1], factors_TBH[t + 1]
            kernels.rnn_forward[grid](
                product_BG, gates_BG, *after, count, RELU=relu, ROUNDED=rounded, UNITS=kernels.UNITS
            )
        ctx.save_for_backward(weight_GH, states_TBH, factors_TBH)
        ctx.relu, ctx.dtype = relu, dtype
        return states_TBH[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_TBH: Tensor) -> tuple[Tensor | None, ...]:
        weight_GH, states_TBH, factors_TBH = ctx.saved_tensors
        dtype, grad_TBH = ctx.dtype, grad_TBH.contiguous()
        kernels = _kernels()
        rounded, weight_GH = dtype != grad_TBH.dtype, weight_GH.to(dtype)
        dgates_TBG = torch.empty_like(grad_TBH)
        dfactors_TBG = _with_factors(dgates_TBG, dtype)
        grid, count = kernels.grid(grad_TBH[0]), grad_TBH[0].numel()
        product_BH = grad_TBH[-1]  # not read at the last step
        for t in reversed(range(len(grad_TBH))):
            kernels.rnn_backward[grid](
                product_BH,
                grad_TBH[t],
                states_TBH[t + 1],
                dgates_TBG[t],
                dfactors_TBG[t],
                count,
                LAST=t + 1 == len(grad_TBH),
                RELU=ctx.relu,
                ROUNDED=rounded,
                UNITS=kernels.UNITS,
            )
            if t > 0 or ctx.needs_input_grad[2]:
                product_BH = multiply(dfactors_TBG[t], weight_GH)
        dweight_GH = _weight_gradient(dfactors_TBG, factors_TBH)
        return dgates_TBG, dweight_GH, product_BH, None, None


class GPULSTMScan(Function):
    """`LSTMScan` with one product and one kernel a step."""

    @staticmethod
    def forward(
        ctx: Any,
        gates_TBG: Tensor,
        weight_GH: Tensor,
        h0_BH: Tensor,
        c0_BH: Tensor,
        dtype: torch.dtype,
    ) -> tuple[Tensor, Tensor]:
        """Return the hidden states of all steps, (T, B, H), and the last cell state, (B, H)."""
        gates_TBG = gates_TBG.contiguous()
        states_TBH, factors_TBH = _states(len(gates_TBG), h0_BH, dtype)
        cell_states_TBH, _ = _states(len(gates_TBG), c0_BH, c0_BH.dtype)
        tanh_c_TBH = torch.empty_like(states_TBH[1:])
        activated_TBG = torch.empty_like(gates_TBG)
        kernels = _kernels()
        rounded, weight_HG = dtype != h0_BH.dtype, weight_GH.to(dtype).t()
        grid, (count, hidden) = kernels.grid(h0_BH), (h0_BH.numel(), h0_BH.shape[1])
        for t, gates_BG in enumerate(gates_TBG):
            kernels.lstm_forward[grid](
                multiply(factors_TBH[t], weight_HG),
                gates_BG,
                cell_states_TBH[t],
                activated_TBG[t],
                cell_states_TBH[t + 1],
                tanh_c_TBH[t],
                states_TBH[t + 1],
                factors_TBH[t + 1],
                count,
                H=hidden,
                ROUNDED=rounded,
                UNITS=kernels.UNITS,
            )
        ctx.save_for_backward(weight_GH, factors_TBH, cell_states_TBH, tanh_c_TBH, activated_TBG)
        ctx.dtype = dtype
        return states_TBH[1:], cell_states_TBH[-1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_TBH: Tensor, grad_c_BH: Tensor) -> tuple[Tensor | None, ...]:
        weight_GH, factors_TBH, cell_states_TBH, tanh_c_TBH, activated_TBG = ctx.saved_tensors
        dtype, grad_TBH = ctx.dtype, grad_TBH.contiguous()
        kernels = _kernels()
        rounded, weight_GH = dtype != grad_TBH.dtype, weight_GH.to(dtype)
        dgates_TBG = torch.empty_like(activated_TBG)
        dfactors_TBG = _with_factors(dgates_TBG, dtype)
        grid, (count, hidden) = kernels.grid(grad_TBH[0]), (grad_TBH[0].numel(), grad_TBH.shape[2])
        product_BH = grad_TBH[-1]  # not read at the last step
        dc_BH = grad_c_BH.clone(memory_format=torch.contiguous_format)
        for t in reversed(range(len(grad_TBH))):
            kernels.lstm_backward[grid](
                product_BH,
                grad_TBH[t],
                activated_TBG[t],
                cell_states_TBH[t],
                tanh_c_TBH[t],
                dc_BH,
                dgates_TBG[t],
                dfactors_TBG[t],
                count,
                H=hidden,
                LAST=t + 1 == len(grad_TBH),
                ROUNDED=rounded,
                UNITS=kernels.UNITS,
            )
            if t > 0 or ctx.needs_input_grad[2]:
                product_BH = multiply(dfactors_TBG[t], weight_GH)
        dweight_GH = _weight_gradient(dfactors_TBG, factors_TBH)
        return dgates_TBG, dweight_GH, product_BH, dc_BH, None


class GPUGRUScan(Function):
    """`GRUScan` with one product and one kernel a step."""

    @staticmethod
    def forward(
        ctx: Any,
        gates_TBG: Tensor,
        weight_GH: Tensor,
        bias_n_H: Tensor,
        h0_BH: Tensor,
        dtype: torch.dtype,
    ) -> Tensor:
        """Return the hidden states of all steps, (T, B, H)."""
        gates_TBG = gates_TBG.contiguous()
        states_TBH, factors_TBH = _states(len(gates_TBG), h0_BH, dtype)
        recurrent_n_TBH = torch.empty_like(states_TBH[1:])
        activated_TBG = torch.empty_like(gates_TBG)
        kernels = _kernels()
        rounded, weight_HG = dtype != h0_BH.dtype, weight_GH.to(dtype).t()
        grid, (count, hidden) = kernels.grid(h0_BH), (h0_BH.numel(), h0_BH.shape[1])
        for t, gates_BG in enumerate(gates_TBG):
            kernels.gru_forward[grid](
                multiply(factors_TBH[t], weight_HG),
                gates_BG,
                bias_n_H,
                states_TBH[t],
                activated_TBG[t],
                recurrent_n_TBH[t],
                states_TBH[t + 1],
                factors_TBH[t + 1],
                count,
                H=hidden,
                ROUNDED=rounded,
                UNITS=kernels.UNITS,
            )
        ctx.save_for_backward(weight_GH, states_TBH, factors_TBH, recurrent_n_TBH, activated_TBG)
        ctx.dtype = dtype
        return states_TBH[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_TBH: Tensor) -> tuple[Tensor | None, ...]:
        weight_GH, states_TBH, factors_TBH, recurrent_n_TBH, activated_TBG = ctx.saved_tensors
        dtype, grad_TBH = ctx.dtype, grad_TBH.contiguous()
        kernels, weight_GH = _kernels(), weight_GH.to(dtype)
        dgates_TBG = torch.empty_like(activated_TBG)
        drecurrent_TBG = torch.empty_like(activated_TBG, dtype=dtype)
        grid, (count, hidden) = kernels.grid(grad_TBH[0]), (grad_TBH[0].numel(), grad_TBH.shape[2])
        product_BH = grad_TBH[-1]  # not read at the last step
        through_z_BH = torch.zeros_like(grad_TBH[0])
        for t in reversed(range(len(grad_TBH))):
            kernels.gru_backward[grid](
                product_BH,
                grad_TBH[t],
                activated_TBG[t],
                recurrent_n_TBH[t],
                states_TBH[t],
                through_z_BH,
                dgates_TBG[t],
                drecurrent_TBG[t],
                count,
                H=hidden,
                LAST=t + 1 == len(grad_TBH),
                UNITS=kernels.UNITS,
            )
            if t > 0 or ctx.needs_input_grad[3]:
                product_BH = multiply(drecurrent_TBG[t], weight_GH)
        dweight_GH = _weight_gradient(drecurrent_TBG, factors_TBH)
        r_TBH, dn_TBH = activated_TBG[..., :hidden], dgates_TBG[..., 2 * hidden :]
        dbias_n_H = (dn_TBH * r_TBH).sum((0, 1))
        return dgates_TBG, dweight_GH, dbias_n_H, product_BH + through_z_BH, None
