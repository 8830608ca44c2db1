"""The recurrences over time, each one autograd function with a backward pass written by hand.

The gates' input part comes in ready for all time steps, so a step forward is one (B, H) × (H, G·H)
product and some elementwise operations on what is still in the processor's cache; a step backward
likewise. The gradient of the hidden-to-hidden weights of all steps is a single product.

States and sums are float32 (or float64); `dtype` is what the factors of products are rounded to.

Shapes: T time, B batch, H hidden, G gates (RNN 1, GRU 3, LSTM 4).
`gates_TBG` is (T, B, G·H), weights are (G·H, H), biases (G·H,), states (B, H), as in `torch.nn`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from rnnlm.model.product import Product, product_of_columns

_sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input
_tanh_backward = torch.ops.aten.tanh_backward.grad_input
_MINUS_ONE = torch.tensor(-1.0)


def _tanh(x: Tensor, out: Tensor) -> Tensor:
    """As 2 σ(2x) - 1: PyTorch's own takes several times as long on a CPU."""
    return _twice_minus_one_(torch.mul(x, 2, out=out).sigmoid_())


def _twice_minus_one_(x: Tensor) -> Tensor:
    return torch.add(_MINUS_ONE, x, alpha=2, out=x) if x.is_cpu else x.mul_(2).sub_(1)


def _previous(first_BH: Tensor, later_TBH: Tensor) -> Tensor:
    """The state that each step started from, for all rows."""
    return torch.cat([first_BH, later_TBH[:-1].flatten(0, 1)])


def _backwards(*by_step: Tensor | list[Tensor]) -> zip[tuple[Tensor, ...]]:
    """The tensors' steps, the last first."""
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
        """Hidden states of all steps, (T, B, H)."""
        outputs_TBH = torch.empty_like(gates_TBG)
        product = Product(weight_GH, len(h0_BH), len(gates_TBG), dtype)
        h_BH = h0_BH
        for gates_BG, out_BH in zip(gates_TBG.unbind(), outputs_TBH.unbind(), strict=True):
            torch.add(gates_BG, product(h_BH), out=out_BH)
            h_BH = out_BH.relu_() if relu else _tanh(out_BH, out=out_BH)
        ctx.save_for_backward(weight_GH, h0_BH, outputs_TBH)
        ctx.relu, ctx.dtype = relu, dtype
        return outputs_TBH

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_TBH: Tensor) -> tuple[Tensor | None, ...]:
        weight_GH, h0_BH, outputs_TBH = ctx.saved_tensors
        product = Product(weight_GH.t(), len(h0_BH), len(grad_TBH), ctx.dtype)
        dgates_TBG = torch.empty_like(outputs_TBH)
        dh_BH = torch.zeros_like(h0_BH)
        for dh_out_BH, h_BH, dgates_BG in _backwards(grad_TBH, outputs_TBH, dgates_TBG):
            dh_BH.add_(dh_out_BH)
            if ctx.relu:
                torch.mul(dh_BH, h_BH > 0, out=dgates_BG)
            else:
                _tanh_backward(dh_BH, h_BH, grad_input=dgates_BG)
            dh_BH = product(dgates_BG)
        before_NH = _previous(h0_BH, outputs_TBH)
        dweight_GH = product_of_columns(dgates_TBG.flatten(0, 1), before_NH, ctx.dtype)
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
        """Hidden states of all steps, (T, B, H), and the last cell state, (B, H)."""
        steps, batch, hidden = *gates_TBG.shape[:2], h0_BH.shape[1]
        outputs_TBH = gates_TBG.new_empty(steps, batch, hidden)
        tanh_c_TBH = torch.empty_like(outputs_TBH)
        product = Product(weight_GH, batch, steps, dtype)
        h_BH, cells, activated = h0_BH, [c0_BH], []
        by_step = zip(gates_TBG.unbind(), tanh_c_TBH.unbind(), outputs_TBH.unbind(), strict=True)
        for gates_BG, tanh_c_BH, out_BH in by_step:
            activated_BG = product(h_BH).add_(gates_BG)
            i, f, g, o = activated_BG.split(hidden, 1)
            # As in `_tanh` for g, with one sigmoid for all four gates.
            g.mul_(2)
            activated_BG.sigmoid_()
            _twice_minus_one_(g)
            c_BH = torch.mul(f, cells[-1]).addcmul_(i, g)
            h_BH = torch.mul(o, _tanh(c_BH, out=tanh_c_BH), out=out_BH)
            cells.append(c_BH)
            activated.append(activated_BG)
        ctx.save_for_backward(weight_GH, h0_BH, outputs_TBH, tanh_c_TBH, *cells[:-1], *activated)
        ctx.dtype = dtype
        return outputs_TBH, cells[-1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_TBH: Tensor, grad_c_BH: Tensor) -> tuple[Tensor | None, ...]:
        weight_GH, h0_BH, outputs_TBH, tanh_c_TBH, *kept = ctx.saved_tensors
        steps, batch, hidden = outputs_TBH.shape
        product = Product(weight_GH.t(), batch, steps, ctx.dtype)
        dgates_TBG = outputs_TBH.new_empty(steps, batch, 4 * hidden)
        dh_BH, dc_BH = torch.zeros_like(h0_BH), grad_c_BH.clone()
        through_c_BH = torch.empty_like(h0_BH)
        by_step = _backwards(grad_TBH, kept[:steps], kept[steps:], tanh_c_TBH, dgates_TBG)
        for dh_out_BH, c_before_BH, activated_BG, tanh_c_BH, dgates_BG in by_step:
            i, f, g, o = activated_BG.split(hidden, 1)
            di, df, dg, do = dgates_BG.split(hidden, 1)
            dh_BH.add_(dh_out_BH)
            torch.mul(dh_BH, tanh_c_BH, out=do)
            torch.mul(dh_BH, o, out=through_c_BH)
            dc_BH.add_(_tanh_backward(through_c_BH, tanh_c_BH, grad_input=through_c_BH))
            torch.mul(dc_BH, g, out=di)
            torch.mul(dc_BH, c_before_BH, out=df)
            torch.mul(dc_BH, i, out=dg)
            # Through the activations: of i and f at once, of g, of o.
            di_and_df, i_and_f = dgates_BG[:, : 2 * hidden], activated_BG[:, : 2 * hidden]
            _sigmoid_backward(di_and_df, i_and_f, grad_input=di_and_df)
            _tanh_backward(dg, g, grad_input=dg)
            _sigmoid_backward(do, o, grad_input=do)
            dc_BH.mul_(f)
            dh_BH = product(dgates_BG)
        before_NH = _previous(h0_BH, outputs_TBH)
        dweight_GH = product_of_columns(dgates_TBG.flatten(0, 1), before_NH, ctx.dtype)
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
        """Hidden states of all steps, (T, B, H)."""
        steps, batch, hidden = *gates_TBG.shape[:2], h0_BH.shape[1]
        outputs_TBH = gates_TBG.new_empty(steps, batch, hidden)
        product = Product(weight_GH, batch, steps, dtype)
        h_BH, activated, recurrent = h0_BH, [], []
        for gates_BG, out_BH in zip(gates_TBG.unbind(), outputs_TBH.unbind(), strict=True):
            # r, z and n take the place of W h, whose part for n backward needs as well.
            activated_BG = product(h_BH)
            r_and_z, n = activated_BG.split((2 * hidden, hidden), 1)
            recurrent_n_BH = n + bias_n_H
            r_and_z.add_(gates_BG[:, : 2 * hidden]).sigmoid_()
            r, z = r_and_z.split(hidden, 1)
            _tanh(torch.addcmul(gates_BG[:, 2 * hidden :], r, recurrent_n_BH, out=n), out=n)
            h_BH = torch.lerp(n, h_BH, z, out=out_BH)
            activated.append(activated_BG)
            recurrent.append(recurrent_n_BH)
        ctx.save_for_backward(weight_GH, h0_BH, outputs_TBH, *activated, *recurrent)
        ctx.dtype = dtype
        return outputs_TBH

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_TBH: Tensor) -> tuple[Tensor | None, ...]:
        weight_GH, h0_BH, outputs_TBH, *kept = ctx.saved_tensors
        steps, batch, hidden = outputs_TBH.shape
        product = Product(weight_GH.t(), batch, steps, ctx.dtype)
        # Into x_r, x_z, x_n; and into W h, which n sees through the reset gate.
        dgates_TBG = outputs_TBH.new_empty(steps, batch, 3 * hidden)
        drecurrent_TBG = torch.empty_like(dgates_TBG)
        dh_BH, before = torch.zeros_like(h0_BH), [h0_BH, *outputs_TBH.unbind()[:-1]]
        by_step = _backwards(
            grad_TBH, before, kept[:steps], kept[steps:], dgates_TBG, drecurrent_TBG
        )
        for dh_out_BH, before_BH, activated_BG, recurrent_n, dgates_BG, drecurrent_BG in by_step:
            r, z, n = activated_BG.split(hidden, 1)
            dr, dz, dn = dgates_BG.split(hidden, 1)
            dh_BH.add_(dh_out_BH)
            dz_BH = torch.sub(before_BH, n).mul_(dh_BH)
            dh_through_z_BH = dh_BH * z
            _tanh_backward(dh_BH.sub_(dh_through_z_BH), n, grad_input=dn)
            dz.copy_(dz_BH)
            torch.mul(dn, recurrent_n, out=dr)
            dr_and_dz, r_and_z = dgates_BG[:, : 2 * hidden], activated_BG[:, : 2 * hidden]
            _sigmoid_backward(dr_and_dz, r_and_z, grad_input=dr_and_dz)
            drecurrent_BG[:, : 2 * hidden] = dr_and_dz
            torch.mul(dn, r, out=drecurrent_BG[:, 2 * hidden :])
            dh_BH = product(drecurrent_BG).add_(dh_through_z_BH)
        drecurrent_NG = drecurrent_TBG.flatten(0, 1)
        before_NH = _previous(h0_BH, outputs_TBH)
        dweight_GH = product_of_columns(drecurrent_NG, before_NH, ctx.dtype)
        return dgates_TBG, dweight_GH, drecurrent_NG[:, 2 * hidden :].sum(0), dh_BH, None
