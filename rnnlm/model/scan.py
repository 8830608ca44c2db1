"""The recurrences over time, each one autograd function with a backward pass written by hand.

The gates' input part comes in ready for all time steps, so a step is one (B, H) × (H, G·H) product
and a few elementwise operations. Backward walks the steps once and then makes the gradient of the
hidden-to-hidden weights of all steps in a single product. Outside training nothing is kept.

Shapes: T time, B batch, H hidden, G gates (RNN 1, GRU 3, LSTM 4).
`gates_TBG` is (T, B, G·H), weights are (G·H, H), biases (G·H,), states (B, H), as in `torch.nn`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

sigmoid_backward = torch.ops.aten.sigmoid_backward
tanh_backward = torch.ops.aten.tanh_backward


def _previous(first_BH: Tensor, later_TBH: Tensor) -> Tensor:
    """The state that each step started from."""
    return torch.cat([first_BH.unsqueeze(0), later_TBH[:-1]])


class RNNScan(Function):
    """h_t = f(x_t + W h_{t-1} + b), f = tanh or relu (Elman, *Finding structure in time*, 1990)."""

    @staticmethod
    def forward(
        ctx: Any, gates_TBG: Tensor, weight_GH: Tensor, bias_G: Tensor, h0_BH: Tensor, relu: bool
    ) -> Tensor:
        """Hidden states of all steps, (T, B, H)."""
        outputs_TBH = gates_TBG + bias_G
        weight_HG, h_BH = weight_GH.t(), h0_BH
        for out_BH in outputs_TBH.unbind():
            out_BH.addmm_(h_BH, weight_HG)
            h_BH = out_BH.relu_() if relu else out_BH.tanh_()
        ctx.save_for_backward(weight_GH, h0_BH, outputs_TBH)
        ctx.relu = relu
        return outputs_TBH

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_TBH: Tensor) -> tuple[Tensor | None, ...]:
        weight_GH, h0_BH, outputs_TBH = ctx.saved_tensors
        dgates_TBG = torch.empty_like(outputs_TBH)
        dh_BH = torch.zeros_like(h0_BH)
        for t in range(len(outputs_TBH) - 1, -1, -1):
            dh_BH = dh_BH + grad_TBH[t]
            if ctx.relu:
                torch.mul(dh_BH, outputs_TBH[t] > 0, out=dgates_TBG[t])
            else:
                tanh_backward.grad_input(dh_BH, outputs_TBH[t], grad_input=dgates_TBG[t])
            dh_BH = dgates_TBG[t] @ weight_GH
        dweight_GH = dgates_TBG.flatten(0, 1).t() @ _previous(h0_BH, outputs_TBH).flatten(0, 1)
        return dgates_TBG, dweight_GH, dgates_TBG.sum((0, 1)), dh_BH, None


class LSTMScan(Function):
    """LSTM with forget gates (Hochreiter & Schmidhuber 1997; Gers et al. 2000), gates i, f, g, o.

    c_t = f ∘ c_{t-1} + i ∘ g,  h_t = o ∘ tanh(c_t)
    """

    @staticmethod
    def forward(
        ctx: Any, gates_TBG: Tensor, weight_GH: Tensor, bias_G: Tensor, h0_BH: Tensor, c0_BH: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Hidden states and cell states of all steps, each (T, B, H)."""
        hidden = h0_BH.shape[1]
        activated_TBG = gates_TBG + bias_G
        outputs_TBH = gates_TBG.new_empty(*gates_TBG.shape[:2], hidden)
        cells_TBH = torch.empty_like(outputs_TBH)
        weight_HG, h_BH, c_BH = weight_GH.t(), h0_BH, c0_BH
        for t, gates_BG in enumerate(activated_TBG.unbind()):
            gates_BG.addmm_(h_BH, weight_HG)
            gates_BG[:, : 2 * hidden].sigmoid_()
            gates_BG[:, 2 * hidden : 3 * hidden].tanh_()
            gates_BG[:, 3 * hidden :].sigmoid_()
            i, f, g, o = gates_BG.chunk(4, 1)
            c_BH = torch.mul(f, c_BH, out=cells_TBH[t]).addcmul_(i, g)
            h_BH = torch.tanh(c_BH, out=outputs_TBH[t]).mul_(o)
        ctx.save_for_backward(weight_GH, h0_BH, c0_BH, activated_TBG, outputs_TBH, cells_TBH)
        return outputs_TBH, cells_TBH

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_h_TBH: Tensor, grad_c_TBH: Tensor) -> tuple[Tensor | None, ...]:
        weight_GH, h0_BH, c0_BH, activated_TBG, outputs_TBH, cells_TBH = ctx.saved_tensors
        dgates_TBG = torch.empty_like(activated_TBG)
        tanh_c_TBH = cells_TBH.tanh()
        before_TBH = _previous(c0_BH, cells_TBH)
        dh_BH, dc_BH = torch.zeros_like(h0_BH), torch.zeros_like(c0_BH)
        for t in range(len(outputs_TBH) - 1, -1, -1):
            i, f, g, o = activated_TBG[t].chunk(4, 1)
            di, df, dg, do = dgates_TBG[t].chunk(4, 1)
            dh_BH = dh_BH + grad_h_TBH[t]
            dc_BH = dc_BH + grad_c_TBH[t] + tanh_backward(dh_BH * o, tanh_c_TBH[t])
            sigmoid_backward.grad_input(dc_BH * g, i, grad_input=di)
            sigmoid_backward.grad_input(dc_BH * before_TBH[t], f, grad_input=df)
            tanh_backward.grad_input(dc_BH * i, g, grad_input=dg)
            sigmoid_backward.grad_input(dh_BH * tanh_c_TBH[t], o, grad_input=do)
            dc_BH = dc_BH * f
            dh_BH = dgates_TBG[t] @ weight_GH
        dweight_GH = dgates_TBG.flatten(0, 1).t() @ _previous(h0_BH, outputs_TBH).flatten(0, 1)
        return dgates_TBG, dweight_GH, dgates_TBG.sum((0, 1)), dh_BH, dc_BH


class GRUScan(Function):
    """GRU (Cho et al. 2014) with the reset gate after the product, gates r, z, n, as in `torch.nn`.

    n = tanh(x_n + r ∘ (W_n h_{t-1} + b_n)),  h_t = (1 - z) ∘ n + z ∘ h_{t-1}
    """

    @staticmethod
    def forward(
        ctx: Any, gates_TBG: Tensor, weight_GH: Tensor, bias_G: Tensor, h0_BH: Tensor
    ) -> Tensor:
        """Hidden states of all steps, (T, B, H)."""
        hidden = h0_BH.shape[1]
        activated_TBG = gates_TBG.clone()
        # W_n h + b_n, which the reset gate multiplies: backward needs it as it was.
        candidate_TBH = gates_TBG.new_empty(*gates_TBG.shape[:2], hidden)
        outputs_TBH = torch.empty_like(candidate_TBH)
        weight_HG, h_BH = weight_GH.t(), h0_BH
        for t, gates_BG in enumerate(activated_TBG.unbind()):
            recurrent_BG = torch.addmm(bias_G, h_BH, weight_HG)
            gates_BG[:, : 2 * hidden].add_(recurrent_BG[:, : 2 * hidden]).sigmoid_()
            r, z, n = gates_BG.chunk(3, 1)
            candidate_TBH[t] = recurrent_BG[:, 2 * hidden :]
            n.addcmul_(r, candidate_TBH[t]).tanh_()
            h_BH = torch.lerp(n, h_BH, z, out=outputs_TBH[t])
        ctx.save_for_backward(weight_GH, h0_BH, activated_TBG, candidate_TBH, outputs_TBH)
        return outputs_TBH

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_TBH: Tensor) -> tuple[Tensor | None, ...]:
        weight_GH, h0_BH, activated_TBG, candidate_TBH, outputs_TBH = ctx.saved_tensors
        hidden = h0_BH.shape[1]
        dgates_TBG = torch.empty_like(activated_TBG)
        # Gradient of W h + b: that of the gates, but for n, where r comes between.
        drecurrent_TBG = torch.empty_like(activated_TBG)
        before_TBH = _previous(h0_BH, outputs_TBH)
        dh_BH = torch.zeros_like(h0_BH)
        for t in range(len(outputs_TBH) - 1, -1, -1):
            r, z, n = activated_TBG[t].chunk(3, 1)
            dr, dz, dn = dgates_TBG[t].chunk(3, 1)
            dh_BH = dh_BH + grad_TBH[t]
            tanh_backward.grad_input(torch.addcmul(dh_BH, dh_BH, z, value=-1), n, grad_input=dn)
            sigmoid_backward.grad_input(dh_BH * (before_TBH[t] - n), z, grad_input=dz)
            sigmoid_backward.grad_input(dn * candidate_TBH[t], r, grad_input=dr)
            drecurrent_TBG[t, :, : 2 * hidden] = dgates_TBG[t, :, : 2 * hidden]
            torch.mul(dn, r, out=drecurrent_TBG[t, :, 2 * hidden :])
            dh_BH = torch.addmm(dh_BH * z, drecurrent_TBG[t], weight_GH)
        dweight_GH = drecurrent_TBG.flatten(0, 1).t() @ before_TBH.flatten(0, 1)
        return dgates_TBG, dweight_GH, drecurrent_TBG.sum((0, 1)), dh_BH
