"""An LSTM layer by PyTorch's own kernel for CPUs, oneDNN's.

The kernel takes vectors x and multiplies them with W_ih. A small table of gates is given to it
without loss: the table becomes W_ih, with unit vectors for x.

Shapes: T time, B batch, I inputs, H hidden, G all gates (4 · H), R rows of a table.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rnnlm.model.layer_input import Dense, LayerInput, Lookup


def takes(layer_input: LayerInput, hidden_size: int) -> bool:
    """Tell whether the kernel can take a layer's input without much more work than it needs.

    It takes vectors, and a table if unit vectors for its rows are at most half as wide as the
    state.
    """
    return isinstance(layer_input, Dense) or (
        layer_input.index is not None and 2 * len(layer_input.table_RG) <= hidden_size
    )


def onednn_lstm(
    layer_input: LayerInput,
    weight_GH: Tensor,
    bias_hh_G: Tensor,
    state: tuple[Tensor, Tensor],
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Return the hidden states of all steps, (T, B, H), and the last state.

    Args:
        layer_input: an input that the kernel takes.
        bias_hh_G: the bias of the hidden-to-hidden product.
    """
    x, weight_ih, bias_ih_G = _dense(layer_input)
    outputs_TBH, h_1BH, c_1BH = torch.lstm(
        x,
        [part_BH.unsqueeze(0) for part_BH in state],
        [weight_ih, weight_GH, bias_ih_G, bias_hh_G],
        True,  # biases
        1,  # layer
        0.0,  # dropout
        torch.is_grad_enabled(),
        False,  # bidirectional
        False,  # batch first
    )
    return outputs_TBH, (h_1BH.squeeze(0), c_1BH.squeeze(0))


def _dense(layer_input: LayerInput) -> tuple[Tensor, Tensor, Tensor]:
    """Return x, W_ih and b_ih, of which x W_ihᵀ + b_ih is the gates' input part."""
    if isinstance(layer_input, Dense):
        return layer_input.x, layer_input.weight_GI, layer_input.bias_G
    assert isinstance(layer_input, Lookup)
    assert layer_input.index is not None
    table_RG = layer_input.table_RG
    units_TBR = table_RG.new_zeros(*layer_input.index.shape, len(table_RG))
    units_TBR.scatter_(2, layer_input.index.unsqueeze(2), 1.0)
    return units_TBR, table_RG.t(), table_RG.new_zeros(table_RG.shape[-1])
