"""A layer by PyTorch's own fused kernels: cuDNN on a GPU, oneDNN's LSTM on a CPU.

The kernels take vectors x and multiply them with W_ih. Rows of a table are given to them without
loss: a small table becomes W_ih, with unit vectors for x; from a large table the rows become x,
with an identity for W_ih.

Shapes: T time, B batch, I inputs, H hidden, G all gates
(`num_gates` · H), R rows of a table.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rnnlm.model.layer_input import Dense, LayerInput, Lookup

# The kernels by PyTorch's names for the recurrences.
_KERNELS: dict[str, Any] = {
    "rnn_tanh": torch.rnn_tanh,
    "rnn_relu": torch.rnn_relu,
    "lstm": torch.lstm,
    "gru": torch.gru,
}


def few_rows(layer_input: LayerInput, hidden_size: int) -> bool:
    """Tell whether unit vectors for a table's rows are at most half as wide as the state."""
    return (
        isinstance(layer_input, Lookup)
        and layer_input.index is not None
        and 2 * len(layer_input.table_RG) <= hidden_size
    )


def fused_layer(
    recurrence: str,
    layer_input: LayerInput,
    weight_GH: Tensor,
    bias_hh_G: Tensor,
    state: tuple[Tensor, ...],
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return the hidden states of all steps, (T, B, H), and the last state.

    Args:
        recurrence: `lstm`, `gru`, `rnn_tanh` or `rnn_relu`.
        bias_hh_G: the bias of the hidden-to-hidden product.
    """
    x, weight_ih, bias_ih_G = _dense(layer_input, weight_GH)
    if x.is_cuda:
        # TF32 would round the gates in the product with an identity.
        torch.backends.cudnn.rnn.fp32_precision = "ieee"  # type: ignore[attr-defined]
    state_1BH = tuple(part_BH.unsqueeze(0) for part_BH in state)
    outputs_TBH, *last_1BH = _KERNELS[recurrence](
        x,
        state_1BH if len(state_1BH) > 1 else state_1BH[0],
        [weight_ih, weight_GH, bias_ih_G, bias_hh_G],
        True,  # biases
        1,  # layer
        0.0,  # dropout
        torch.is_grad_enabled(),
        False,  # bidirectional
        False,  # batch first
    )
    # Under autocast the kernels compute in its type; the results get the weights' type back.
    dtype = weight_GH.dtype
    return outputs_TBH.to(dtype), tuple(part_1BH.squeeze(0).to(dtype) for part_1BH in last_1BH)


def _dense(layer_input: LayerInput, weight_GH: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return x, W_ih and b_ih, of which x W_ihᵀ + b_ih is the gates' input part."""
    if isinstance(layer_input, Dense):
        return layer_input.x, layer_input.weight_GI, layer_input.bias_G
    table_RG = layer_input.table_RG
    zeros_G = table_RG.new_zeros(table_RG.shape[-1])
    if few_rows(layer_input, weight_GH.shape[1]):
        assert layer_input.index is not None
        index_TB1 = layer_input.index.unsqueeze(2)
        units_TBR = table_RG.new_zeros(*layer_input.index.shape, len(table_RG))
        return units_TBR.scatter_(2, index_TB1, 1.0), table_RG.t(), zeros_G
    identity_GG = torch.eye(len(weight_GH), dtype=table_RG.dtype, device=table_RG.device)
    return layer_input.gates(), identity_GG, zeros_G
