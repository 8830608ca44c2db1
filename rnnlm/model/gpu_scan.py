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


def _forward(
    kernel: str,
    gates_TBG: Tensor,
    weight_GH: Tensor,
    states_TBH: Tensor,
    factors_TBH: Tensor,
    *by_step: Tensor,
    **constants: Any,
) -> None:
    """Do all steps by a kernel of `rnnlm/model/gpu_steps.py`, which write the states.

    Args:
        by_step: what the kernel takes between the gates and the states, each (T, …).
        constants: the kernel's own constants.
    """
    kernels, weight_HG = _kernels(), weight_GH.to(factors_TBH.dtype).t()
    run = getattr(kernels, kernel)[kernels.grid(states_TBH[0])]
    constants |= {"UNITS": kernels.UNITS, "ROUNDED": factors_TBH.dtype != states_TBH.dtype}
    for t in range(len(gates_TBG)):
        run(
            multiply(factors_TBH[t], weight_HG),
            gates_TBG[t],
            *(each[t] for each in by_step),
            states_TBH[t + 1],
            factors_TBH[t + 1],
            states_TBH[0].numel(),
            **constants,
        )


def _backward(
    kernel: str,
    grad_TBH: Tensor,
    weight_GH: Tensor,
    factors_TBH: Tensor,
    *by_step: Tensor,
    first_state_learns: bool,
    **constants: Any,
) -> tuple[Tensor, Tensor]:
    """Do all steps back by a kernel, which writes the gradients of the gates.

    Args:
        by_step: what the kernel takes after the gradient of the states, each (T, …). The last are
            the gradients of the gates as factors, (T, B, G).
        first_state_learns: whether the gradient of the state before the first step is wanted.
        constants: the kernel's own constants.

    Returns:
        The gradient of the state before the first step that comes through the product, and that of
        the hidden-to-hidden weights.
    """
    kernels, weight_GH, dfactors_TBG = _kernels(), weight_GH.to(factors_TBH.dtype), by_step[-1]
    grad_TBH = grad_TBH.contiguous()
    run = getattr(kernels, kernel)[kernels.grid(grad_TBH[0])]
    product_BH = grad_TBH[-1]  # not read at the last step
    for t in reversed(range(len(grad_TBH))):
        run(
            product_BH,
            grad_TBH[t],
            *(each[t] for each in by_step),
            grad_TBH[0].numel(),
            LAST=t + 1 == len(grad_TBH),
            UNITS=kernels.UNITS,
            **constants,
        )
        if t > 0 or first_state_learns:
            product_BH = multiply(dfactors_TBG[t], weight_GH)
    dgates_GN = dfactors_TBG.flatten(0, 1).t()
    return product_BH, multiply(dgates_GN, factors_TBH[:-1].flatten(0, 1))


def _at_every_step(tensor: Tensor, steps: int) -> Tensor:
    """Return a tensor once for each step, in the same memory."""
    return tensor.expand(steps, *tensor.shape)


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
        states = _states(len(gates_TBG), h0_BH, dtype)
        _forward("rnn_forward", gates_TBG.contiguous(), weight_GH, *states, RELU=relu)
        ctx.save_for_backward(weight_GH, *states)
        ctx.relu = relu
        return states[0][1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_TBH: Tensor) -> tuple[Tensor | None, ...]:
        weight_GH, states_TBH, factors_TBH = ctx.saved_tensors
        dgates_TBG = torch.empty_like(grad_TBH, memory_format=torch.contiguous_format)
        dfactors_TBG = _with_factors(dgates_TBG, factors_TBH.dtype)
        dh0_BH, dweight_GH = _backward(
            "rnn_backward",
            grad_TBH,
            weight_GH,
            factors_TBH,
            states_TBH[1:],
            dgates_TBG,
            dfactors_TBG,
            first_state_learns=ctx.needs_input_grad[2],
            RELU=ctx.relu,
            ROUNDED=dfactors_TBG is not dgates_TBG,
        )
        return dgates_TBG, dweight_GH, dh0_BH, None, None


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
        _forward(
            "lstm_forward",
            gates_TBG,
            weight_GH,
            states_TBH,
            factors_TBH,
            cell_states_TBH[:-1],
            activated_TBG,
            cell_states_TBH[1:],
            tanh_c_TBH,
            H=h0_BH.shape[1],
        )
        ctx.save_for_backward(weight_GH, factors_TBH, cell_states_TBH, tanh_c_TBH, activated_TBG)
        return states_TBH[1:], cell_states_TBH[-1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_TBH: Tensor, grad_c_BH: Tensor) -> tuple[Tensor | None, ...]:
        weight_GH, factors_TBH, cell_states_TBH, tanh_c_TBH, activated_TBG = ctx.saved_tensors
        dgates_TBG = torch.empty_like(activated_TBG)
        dfactors_TBG = _with_factors(dgates_TBG, factors_TBH.dtype)
        dc_BH = grad_c_BH.clone(memory_format=torch.contiguous_format)
        dh0_BH, dweight_GH = _backward(
            "lstm_backward",
            grad_TBH,
            weight_GH,
            factors_TBH,
            activated_TBG,
            cell_states_TBH[:-1],
            tanh_c_TBH,
            _at_every_step(dc_BH, len(grad_TBH)),
            dgates_TBG,
            dfactors_TBG,
            first_state_learns=ctx.needs_input_grad[2],
            H=grad_TBH.shape[2],
            ROUNDED=dfactors_TBG is not dgates_TBG,
        )
        return dgates_TBG, dweight_GH, dh0_BH, dc_BH, None


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
        _forward(
            "gru_forward",
            gates_TBG,
            weight_GH,
            states_TBH,
            factors_TBH,
            _at_every_step(bias_n_H, len(gates_TBG)),
            states_TBH[:-1],
            activated_TBG,
            recurrent_n_TBH,
            H=h0_BH.shape[1],
        )
        ctx.save_for_backward(weight_GH, states_TBH, factors_TBH, recurrent_n_TBH, activated_TBG)
        return states_TBH[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_TBH: Tensor) -> tuple[Tensor | None, ...]:
        weight_GH, states_TBH, factors_TBH, recurrent_n_TBH, activated_TBG = ctx.saved_tensors
        hidden = grad_TBH.shape[2]
        dgates_TBG = torch.empty_like(activated_TBG)
        through_z_BH = torch.zeros_like(grad_TBH[0], memory_format=torch.contiguous_format)
        dh0_BH, dweight_GH = _backward(
            "gru_backward",
            grad_TBH,
            weight_GH,
            factors_TBH,
            activated_TBG,
            recurrent_n_TBH,
            states_TBH[:-1],
            _at_every_step(through_z_BH, len(grad_TBH)),
            dgates_TBG,
            torch.empty_like(activated_TBG, dtype=factors_TBH.dtype),
            first_state_learns=ctx.needs_input_grad[3],
            H=hidden,
        )
        r_TBH, dn_TBH = activated_TBG[..., :hidden], dgates_TBG[..., 2 * hidden :]
        dbias_n_H = (dn_TBH * r_TBH).sum((0, 1))
        return dgates_TBG, dweight_GH, dbias_n_H, dh0_BH + through_z_BH, None
