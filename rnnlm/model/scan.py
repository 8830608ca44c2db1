"""The recurrences over time, each one autograd function with a backward pass written by hand.

The gates' input part comes in ready for all time steps, so a step forward is one (B, H) × (H, G·H)
product and a few elementwise operations. Backward first makes, for all steps at once, the factors
that do not depend on the gradient; a step back is then one product and two to five operations.
The gradient of the hidden-to-hidden weights of all steps is a single product. Outside training
nothing is kept.

Shapes: T time, B batch, H hidden, G gates (RNN 1, GRU 3, LSTM 4).
`gates_TBG` is (T, B, G·H), weights are (G·H, H), biases (G·H,), states (B, H), as in `torch.nn`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable


def _previous(first_BH: Tensor, later_TBH: Tensor) -> Tensor:
    """The state that each step started from."""
    return torch.cat([first_BH.unsqueeze(0), later_TBH[:-1]])


def _weight_gradient(dgates_TBG: Tensor, before_TBH: Tensor) -> Tensor:
    """Of the hidden-to-hidden weights, over all steps in one product."""
    return dgates_TBG.flatten(0, 1).t() @ before_TBH.flatten(0, 1)


def _gradient_of_state(
    dh_out_BH: Tensor, dgates_after_BG: Tensor | None, weight_GH: Tensor
) -> Tensor:
    """What reaches a hidden state from the output of its step and from the gates of the next."""
    if dgates_after_BG is None:
        return dh_out_BH
    return torch.addmm(dh_out_BH, dgates_after_BG, weight_GH)


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
        if ctx.relu:
            slope_TBH = (outputs_TBH > 0).to(outputs_TBH.dtype)
        else:
            slope_TBH = 1 - outputs_TBH.square()
        dgates_TBG = torch.empty_like(outputs_TBH)
        after_BG = None
        for dh_out_BH, slope_BH, dgates_BG in _backwards(grad_TBH, slope_TBH, dgates_TBG):
            dh_BH = _gradient_of_state(dh_out_BH, after_BG, weight_GH)
            after_BG = torch.mul(dh_BH, slope_BH, out=dgates_BG)
        dweight_GH = _weight_gradient(dgates_TBG, _previous(h0_BH, outputs_TBH))
        return dgates_TBG, dweight_GH, dgates_TBG.sum((0, 1)), dgates_TBG[0] @ weight_GH, None


class LSTMScan(Function):
    """LSTM with forget gates (Hochreiter & Schmidhuber 1997; Gers et al. 2000), gates i, f, g, o.

    c_t = f ∘ c_{t-1} + i ∘ g,  h_t = o ∘ tanh(c_t)
    """

    @staticmethod
    def forward(
        ctx: Any, gates_TBG: Tensor, weight_GH: Tensor, bias_G: Tensor, h0_BH: Tensor, c0_BH: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Hidden states and cell states of all steps, each (T, B, H)."""
        steps, batch, hidden = *gates_TBG.shape[:2], h0_BH.shape[1]
        activated_TBG = gates_TBG + bias_G
        outputs_TBH = gates_TBG.new_empty(steps, batch, hidden)
        cells_TBH = torch.empty_like(outputs_TBH)
        tanh_c_TBH = torch.empty_like(outputs_TBH)
        weight_HG, h_BH, c_BH = weight_GH.t(), h0_BH, c0_BH
        by_step = zip(
            activated_TBG.unbind(),
            activated_TBG[..., : 2 * hidden].unbind(),
            *(gate_TBH.unbind() for gate_TBH in activated_TBG.chunk(4, 2)),
            cells_TBH.unbind(),
            tanh_c_TBH.unbind(),
            outputs_TBH.unbind(),
            strict=True,
        )
        for gates_BG, i_and_f, i, f, g, o, new_c_BH, tanh_c_BH, out_BH in by_step:
            gates_BG.addmm_(h_BH, weight_HG)
            i_and_f.sigmoid_()
            g.tanh_()
            o.sigmoid_()
            c_BH = torch.mul(f, c_BH, out=new_c_BH).addcmul_(i, g)
            h_BH = torch.mul(torch.tanh(c_BH, out=tanh_c_BH), o, out=out_BH)
        ctx.save_for_backward(
            weight_GH, h0_BH, c0_BH, activated_TBG, outputs_TBH, cells_TBH, tanh_c_TBH
        )
        return outputs_TBH, cells_TBH

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_h_TBH: Tensor, grad_c_TBH: Tensor) -> tuple[Tensor | None, ...]:
        weight_GH, h0_BH, c0_BH, activated_TBG, outputs_TBH, cells_TBH, tanh_c_TBH = (
            ctx.saved_tensors
        )
        steps, batch, hidden = outputs_TBH.shape
        i, f, g, o = activated_TBG.chunk(4, 2)
        # d c_t / d gate, before each activation, of i, f, g; and d h_t / d o.
        into_c_TBGH = torch.empty(
            steps, batch, 3, hidden, dtype=weight_GH.dtype, device=weight_GH.device
        )
        torch.mul(g, i * (1 - i), out=into_c_TBGH[:, :, 0])
        torch.mul(_previous(c0_BH, cells_TBH), f * (1 - f), out=into_c_TBGH[:, :, 1])
        torch.mul(i, 1 - g.square(), out=into_c_TBGH[:, :, 2])
        into_o_TBH = tanh_c_TBH * o * (1 - o)
        h_to_c_TBH = o * (1 - tanh_c_TBH.square())

        dgates_TBG = torch.empty_like(activated_TBG)
        dgates_TBGH = dgates_TBG.view(steps, batch, 4, hidden)
        after_BG, dc_BH = None, torch.zeros_like(c0_BH)
        by_step = _backwards(
            grad_h_TBH,
            grad_c_TBH,
            h_to_c_TBH,
            into_c_TBGH,
            into_o_TBH,
            f,
            dgates_TBGH[:, :, :3],
            dgates_TBGH[:, :, 3],
            dgates_TBG,
        )
        for dh_out, dc_out, h_to_c, into_c, into_o, f_BH, dgates_c, dgates_o, dgates_BG in by_step:
            dh_BH = _gradient_of_state(dh_out, after_BG, weight_GH)
            dc_BH = dc_BH.add_(dc_out).addcmul_(dh_BH, h_to_c)
            torch.mul(dc_BH.unsqueeze(1), into_c, out=dgates_c)
            torch.mul(dh_BH, into_o, out=dgates_o)
            dc_BH *= f_BH
            after_BG = dgates_BG
        dweight_GH = _weight_gradient(dgates_TBG, _previous(h0_BH, outputs_TBH))
        return dgates_TBG, dweight_GH, dgates_TBG.sum((0, 1)), dgates_TBG[0] @ weight_GH, dc_BH


class GRUScan(Function):
    """GRU (Cho et al. 2014) with the reset gate after the product, gates r, z, n, as in `torch.nn`.

    n = tanh(x_n + r ∘ (W_n h_{t-1} + b_n)),  h_t = (1 - z) ∘ n + z ∘ h_{t-1}
    """

    @staticmethod
    def forward(
        ctx: Any, gates_TBG: Tensor, weight_GH: Tensor, bias_G: Tensor, h0_BH: Tensor
    ) -> Tensor:
        """Hidden states of all steps, (T, B, H)."""
        steps, batch, hidden = *gates_TBG.shape[:2], h0_BH.shape[1]
        activated_TBG = gates_TBG.clone()
        # W h + b; of n, which the reset gate multiplies, backward needs it as it was.
        recurrent_TBG = torch.empty_like(gates_TBG)
        outputs_TBH = gates_TBG.new_empty(steps, batch, hidden)
        weight_HG, h_BH = weight_GH.t(), h0_BH
        by_step = zip(
            recurrent_TBG.unbind(),
            recurrent_TBG[..., : 2 * hidden].unbind(),
            recurrent_TBG[..., 2 * hidden :].unbind(),
            activated_TBG[..., : 2 * hidden].unbind(),
            *(gate_TBH.unbind() for gate_TBH in activated_TBG.chunk(3, 2)),
            outputs_TBH.unbind(),
            strict=True,
        )
        for recurrent_BG, recurrent_rz, recurrent_n, r_and_z, r, z, n, out_BH in by_step:
            torch.addmm(bias_G, h_BH, weight_HG, out=recurrent_BG)
            r_and_z.add_(recurrent_rz).sigmoid_()
            n.addcmul_(r, recurrent_n).tanh_()
            h_BH = torch.lerp(n, h_BH, z, out=out_BH)
        ctx.save_for_backward(weight_GH, h0_BH, activated_TBG, recurrent_TBG, outputs_TBH)
        return outputs_TBH

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_TBH: Tensor) -> tuple[Tensor | None, ...]:
        weight_GH, h0_BH, activated_TBG, recurrent_TBG, outputs_TBH = ctx.saved_tensors
        steps, batch, hidden = outputs_TBH.shape
        r, z, n = activated_TBG.chunk(3, 2)
        before_TBH = _previous(h0_BH, outputs_TBH)
        # d h_t / d gate, before each activation, of r, z, n.
        slopes_TBGH = torch.empty(
            steps, batch, 3, hidden, dtype=weight_GH.dtype, device=weight_GH.device
        )
        slope_r, slope_z, slope_n = slopes_TBGH.unbind(2)
        torch.mul(1 - z, 1 - n.square(), out=slope_n)
        torch.mul(before_TBH - n, z * (1 - z), out=slope_z)
        torch.mul(recurrent_TBG[..., 2 * hidden :] * slope_n, r * (1 - r), out=slope_r)
        # W h + b enters n through the reset gate, and r and z as it is.
        recurrent_slopes_TBGH = slopes_TBGH.clone()
        recurrent_slopes_TBGH[:, :, 2] *= r

        dh_TBH = torch.empty_like(outputs_TBH)
        drecurrent_TBG = torch.empty_like(activated_TBG)
        drecurrent_TBGH = drecurrent_TBG.view(steps, batch, 3, hidden)
        after = None
        by_step = _backwards(
            grad_TBH, recurrent_slopes_TBGH, z, dh_TBH, drecurrent_TBGH, drecurrent_TBG
        )
        for dh_out, slopes, z_BH, dh_BH, drecurrent_BGH, drecurrent_BG in by_step:
            if after is None:
                dh_BH.copy_(dh_out)
            else:
                dh_after, z_after, drecurrent_after = after
                torch.addcmul(dh_out, dh_after, z_after, out=dh_BH)
                dh_BH.addmm_(drecurrent_after, weight_GH)
            torch.mul(dh_BH.unsqueeze(1), slopes, out=drecurrent_BGH)
            after = dh_BH, z_BH, drecurrent_BG
        dgates_TBG = slopes_TBGH.mul_(dh_TBH.unsqueeze(2)).flatten(2)
        dh0_BH = torch.addmm(dh_TBH[0] * z[0], drecurrent_TBG[0], weight_GH)
        dweight_GH = _weight_gradient(drecurrent_TBG, before_TBH)
        return dgates_TBG, dweight_GH, drecurrent_TBG.sum((0, 1)), dh0_BH


def _backwards(*by_step: Tensor) -> zip[tuple[Tensor, ...]]:
    """The tensors' steps, the last first."""
    return zip(*(reversed(tensor.unbind()) for tensor in by_step), strict=True)
