"""The recurrences over time, each one autograd function with a backward pass written by hand.

The gates' input part is computed before, for all time steps. A step is then one (B, H) × (H, G·H)
product and some elementwise operations on numbers that are still in the processor's cache, forward
and backward. The gradient of the hidden-to-hidden weights is a single product for all steps.

States and sums are float32 (or float64). The factors of products are rounded to `dtype`.

Shapes: T time, B batch, H hidden; the suffix G stands for H numbers of each gate (RNN 1 gate, GRU
3, LSTM 4). `gates_TBG` is the input part of the gates. States are (B, H).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from rnnlm.model.product import Product, weight_gradient

_sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input
_tanh_backward = torch.ops.aten.tanh_backward.grad_input
_MINUS_ONE = torch.tensor(-1.0)


def _tanh(x: Tensor, out: Tensor) -> Tensor:
    """Tanh as 2 σ(2x) - 1: PyTorch's own takes several times as long on a CPU."""
    return _twice_minus_one_(torch.mul(x, 2, out=out).sigmoid_())


def _twice_minus_one_(x: Tensor) -> Tensor:
    return torch.add(_MINUS_ONE, x, alpha=2, out=x) if x.is_cpu else x.mul_(2).sub_(1)


def _memory_for_states(steps: int, first_BH: Tensor) -> Tensor:
    """Return memory for the states before and after each step, (T + 1, B, H), with the first."""
    states_TBH = first_BH.new_empty(steps + 1, *first_BH.shape)
    states_TBH[0] = first_BH
    return states_TBH


def _recurrent_weight_gradient(
    dgates_TBG: Tensor, states_TBH: Tensor, dtype: torch.dtype
) -> Tensor:
    """Return the gradient of the hidden-to-hidden weights."""
    return weight_gradient(dgates_TBG.flatten(0, 1), states_TBH[:-1].flatten(0, 1), dtype)


def _gradients_from_above(grad_TBH: Tensor) -> list[Tensor]:
    """Return the gradient from the layers above of the state before each step.

    The state before the first step has none: no layer above reads it.
    """
    return [torch.zeros_like(grad_TBH[0]), *grad_TBH[:-1].unbind()]


def _last_step_first(*by_step: Tensor | list[Tensor]) -> zip[tuple[Tensor, ...]]:
    """Iterate over the steps of several tensors together, the last step first."""
    steps = (list(t.unbind()) if isinstance(t, Tensor) else t for t in by_step)
    return zip(*(reversed(s) for s in steps), strict=True)


class RNNScan(Function):
    """h_t = f(x_t + W h_{t-1}), f = tanh or relu (Elman, *Finding structure in time*, 1990)."""

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
        states_TBH = _memory_for_states(len(gates_TBG), h0_BH)
        product = Product(weight_GH, len(h0_BH), len(gates_TBG), dtype)
        h_BH = h0_BH
        for gates_BG, out_BH in zip(gates_TBG.unbind(), states_TBH[1:].unbind(), strict=True):
            product.plus(h_BH, gates_BG, out=out_BH)
            h_BH = out_BH.relu_() if relu else _tanh(out_BH, out=out_BH)
        ctx.save_for_backward(weight_GH, states_TBH)
        ctx.relu, ctx.dtype = relu, dtype
        return states_TBH[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_TBH: Tensor) -> tuple[Tensor | None, ...]:
        weight_GH, states_TBH = ctx.saved_tensors
        product = Product(weight_GH.t(), grad_TBH.shape[1], len(grad_TBH), ctx.dtype)
        dgates_TBG = torch.empty_like(grad_TBH)
        dh_BH, from_above = grad_TBH[-1], _gradients_from_above(grad_TBH)
        for h_BH, dgates_BG, dh_before_BH in _last_step_first(
            states_TBH[1:], dgates_TBG, from_above
        ):
            if ctx.relu:
                torch.mul(dh_BH, h_BH > 0, out=dgates_BG)
            else:
                _tanh_backward(dh_BH, h_BH, grad_input=dgates_BG)
            dh_BH = product.plus(dgates_BG, dh_before_BH)
        dweight_GH = _recurrent_weight_gradient(dgates_TBG, states_TBH, ctx.dtype)
        return dgates_TBG, dweight_GH, dh_BH, None, None


class LSTMScan(Function):
    """LSTM with forget gates (Hochreiter & Schmidhuber 1997; Gers et al. 2000), gates i, f, g, o.

    c_t = f ∘ c_{t-1} + i ∘ g,  h_t = o ∘ tanh(c_t)
    """

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
        steps, batch, hidden = *gates_TBG.shape[:2], h0_BH.shape[1]
        states_TBH = _memory_for_states(steps, h0_BH)
        tanh_c_TBH = h0_BH.new_empty(steps, batch, hidden)
        product = Product(weight_GH, batch, steps, dtype)
        h_BH, cell_states, activated = h0_BH, [c0_BH], []
        by_step = zip(gates_TBG.unbind(), tanh_c_TBH.unbind(), states_TBH[1:].unbind(), strict=True)
        for gates_BG, tanh_c_BH, out_BH in by_step:
            activated_BG = product.plus(h_BH, gates_BG)
            i, f, g, o = activated_BG.split(hidden, 1)
            # One sigmoid for all four gates: g gets its tanh from it, as in `_tanh`.
            g.mul_(2)
            activated_BG.sigmoid_()
            _twice_minus_one_(g)
            c_BH = torch.mul(f, cell_states[-1]).addcmul_(i, g)
            h_BH = torch.mul(o, _tanh(c_BH, out=tanh_c_BH), out=out_BH)
            cell_states.append(c_BH)
            activated.append(activated_BG)
        ctx.save_for_backward(weight_GH, states_TBH, tanh_c_TBH, *cell_states[:-1], *activated)
        ctx.dtype = dtype
        return states_TBH[1:], cell_states[-1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_TBH: Tensor, grad_c_BH: Tensor) -> tuple[Tensor | None, ...]:
        weight_GH, states_TBH, tanh_c_TBH, *kept = ctx.saved_tensors
        steps, batch, hidden = grad_TBH.shape
        product = Product(weight_GH.t(), batch, steps, ctx.dtype)
        dgates_TBG = grad_TBH.new_empty(steps, batch, 4 * hidden)
        dh_BH, from_above = grad_TBH[-1], _gradients_from_above(grad_TBH)
        dc_BH, through_c_BH = grad_c_BH.clone(), torch.empty_like(grad_c_BH)
        by_step = _last_step_first(kept[:steps], kept[steps:], tanh_c_TBH, dgates_TBG, from_above)
        for c_before_BH, activated_BG, tanh_c_BH, dgates_BG, dh_before_BH in by_step:
            i, f, g, o = activated_BG.split(hidden, 1)
            di, df, dg, do = dgates_BG.split(hidden, 1)
            torch.mul(dh_BH, tanh_c_BH, out=do)
            torch.mul(dh_BH, o, out=through_c_BH)
            dc_BH.add_(_tanh_backward(through_c_BH, tanh_c_BH, grad_input=through_c_BH))
            torch.mul(dc_BH, g, out=di)
            torch.mul(dc_BH, c_before_BH, out=df)
            torch.mul(dc_BH, i, out=dg)
            # The derivatives of the activations: of i and f together, of g, of o.
            di_and_df, i_and_f = dgates_BG[:, : 2 * hidden], activated_BG[:, : 2 * hidden]
            _sigmoid_backward(di_and_df, i_and_f, grad_input=di_and_df)
            _tanh_backward(dg, g, grad_input=dg)
            _sigmoid_backward(do, o, grad_input=do)
            dc_BH.mul_(f)
            dh_BH = product.plus(dgates_BG, dh_before_BH)
        dweight_GH = _recurrent_weight_gradient(dgates_TBG, states_TBH, ctx.dtype)
        return dgates_TBG, dweight_GH, dh_BH, dc_BH, None


class GRUScan(Function):
    """GRU (Cho et al. 2014) with the reset gate after the product, gates r, z, n, as in `torch.nn`.

    n = tanh(x_n + r ∘ (W_n h_{t-1} + b_n)),  h_t = (1 - z) ∘ n + z ∘ h_{t-1}
    """

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
        steps, batch, hidden = *gates_TBG.shape[:2], h0_BH.shape[1]
        states_TBH = _memory_for_states(steps, h0_BH)
        product = Product(weight_GH, batch, steps, dtype)
        h_BH, activated, recurrent = h0_BH, [], []
        for gates_BG, out_BH in zip(gates_TBG.unbind(), states_TBH[1:].unbind(), strict=True):
            # r, z and n overwrite W h. Its part for n is kept for the backward pass.
            activated_BG = product(h_BH)
            r_and_z, n = activated_BG.split((2 * hidden, hidden), 1)
            recurrent_n_BH = n + bias_n_H
            r_and_z.add_(gates_BG[:, : 2 * hidden]).sigmoid_()
            r, z = r_and_z.split(hidden, 1)
            _tanh(torch.addcmul(gates_BG[:, 2 * hidden :], r, recurrent_n_BH, out=n), out=n)
            h_BH = torch.lerp(n, h_BH, z, out=out_BH)
            activated.append(activated_BG)
            recurrent.append(recurrent_n_BH)
        ctx.save_for_backward(weight_GH, states_TBH, *activated, *recurrent)
        ctx.dtype = dtype
        return states_TBH[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_TBH: Tensor) -> tuple[Tensor | None, ...]:
        weight_GH, states_TBH, *kept = ctx.saved_tensors
        steps, batch, hidden = grad_TBH.shape
        product = Product(weight_GH.t(), batch, steps, ctx.dtype)
        # The gradients of the input part and of W h. They differ in n, by the reset gate.
        dgates_TBG = grad_TBH.new_empty(steps, batch, 3 * hidden)
        drecurrent_TBG = torch.empty_like(dgates_TBG)
        dh_BH, from_above = grad_TBH[-1], _gradients_from_above(grad_TBH)
        by_step = _last_step_first(
            states_TBH[:-1], kept[:steps], kept[steps:], dgates_TBG, drecurrent_TBG, from_above
        )
        for before_BH, activated_BG, recurrent_n, dgates_BG, drecurrent_BG, dh_before_BH in by_step:
            r, z, n = activated_BG.split(hidden, 1)
            dr, dz, dn = dgates_BG.split(hidden, 1)
            torch.sub(before_BH, n, out=dz).mul_(dh_BH)
            through_z_BH = dh_BH * z
            _tanh_backward(dh_BH - through_z_BH, n, grad_input=dn)
            torch.mul(dn, recurrent_n, out=dr)
            dr_and_dz, r_and_z = dgates_BG[:, : 2 * hidden], activated_BG[:, : 2 * hidden]
            _sigmoid_backward(dr_and_dz, r_and_z, grad_input=dr_and_dz)
            drecurrent_BG[:, : 2 * hidden] = dr_and_dz
            torch.mul(dn, r, out=drecurrent_BG[:, 2 * hidden :])
            dh_BH = product.plus(drecurrent_BG, through_z_BH.add_(dh_before_BH))
        dweight_GH = _recurrent_weight_gradient(drecurrent_TBG, states_TBH, ctx.dtype)
        dbias_n_H = drecurrent_TBG[..., 2 * hidden :].sum((0, 1))
        return dgates_TBG, dweight_GH, dbias_n_H, dh_BH, None
