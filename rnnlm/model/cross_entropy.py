"""The cross-entropy of a projection to the vocabulary, without all logits in memory at once.

`torch.nn.functional.linear_cross_entropy` does the same from torch 2.13 on. This one also runs on
older versions, and was faster on the CPUs that were measured (`experiments/speed/`).

Shapes: N predictions, C predictions of a chunk, H hidden, V vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional

from rnnlm.data.batching import IGNORED
from rnnlm.model.product import Product, add_weight_gradient, multiplied_dtype

# The logits of a chunk: 128 MiB in float32.
MOST_LOGITS = 2**25
# So few logits, half a megabyte, fit in a processor's cache: PyTorch's own loss is the fastest.
FEW_LOGITS = 2**17


class _LinearCrossEntropy(Function):
    """Computes the gradients together with the loss, while the logits of a chunk are there."""

    @staticmethod
    def forward(
        ctx: Any, hidden_NH: Tensor, weight_VH: Tensor, bias_V: Tensor, targets_N: Tensor
    ) -> Tensor:
        dtype = multiplied_dtype(hidden_NH)
        rows = min(max(1, MOST_LOGITS // len(weight_VH)), len(hidden_NH))
        chunks = -(-len(hidden_NH) // rows)
        learning = any(ctx.needs_input_grad)
        to_logits = Product(weight_VH, rows, chunks, dtype)
        if learning:
            to_hidden = Product(weight_VH.t(), rows, chunks, dtype)
            dhidden_NH = torch.empty_like(hidden_NH)
            dweight_VH, dbias_V = torch.empty_like(weight_VH), torch.zeros_like(bias_V)
        nats = hidden_NH.new_zeros((), dtype=torch.float64)
        for first in range(0, len(hidden_NH), rows):
            hidden_CH, targets_C = (t[first : first + rows] for t in (hidden_NH, targets_N))
            log_p_CV = to_logits(hidden_CH).add_(bias_V)
            torch.log_softmax(log_p_CV, 1, out=log_p_CV)
            nats += functional.nll_loss(log_p_CV, targets_C, ignore_index=IGNORED, reduction="sum")
            if not learning:
                continue
            # d nats / d logits is p, less 1 at the target; it is 0 for an ignored target.
            dlogits_CV = log_p_CV.exp_()
            counted_C1 = (targets_C != IGNORED).unsqueeze(1)
            minus_one_C1 = -counted_C1.to(hidden_NH.dtype)
            dlogits_CV.scatter_add_(1, targets_C.clamp(min=0).unsqueeze(1), minus_one_C1)
            # A GPU would have to synchronise to tell whether any target is ignored.
            if dlogits_CV.is_cuda or not counted_C1.all():
                dlogits_CV.mul_(counted_C1)
            dbias_V += dlogits_CV.sum(0)
            factor_CV = dlogits_CV.to(dtype)
            dhidden_NH[first : first + rows] = to_hidden(factor_CV)
            add_weight_gradient(dweight_VH, factor_CV, hidden_CH, dtype, first=first == 0)
        if learning:
            ctx.save_for_backward(dhidden_NH, dweight_VH, dbias_V)
        return nats.to(hidden_NH.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dnats: Tensor) -> tuple[Tensor | None, ...]:
        # In place, because a second gradient of a large vocabulary would take hundreds of
        # megabytes. A second backward pass is therefore an error, which autograd reports.
        return *(gradient.mul_(dnats) for gradient in ctx.saved_tensors), None


def linear_cross_entropy(
    hidden_NH: Tensor, weight_VH: Tensor, bias_V: Tensor, targets_N: Tensor
) -> Tensor:
    """Return the total negative log-likelihood, in nats, of targets under softmax(h Wᵀ + b).

    `IGNORED` targets do not count. Value and gradient are exact. There are no second derivatives,
    and the gradient can be taken only once.
    """
    # On a GPU PyTorch's own loss would round the logits under autocast.
    rounded = hidden_NH.is_cuda and multiplied_dtype(hidden_NH) != hidden_NH.dtype
    if len(hidden_NH) * len(weight_VH) <= FEW_LOGITS and not rounded:
        logits_NV = functional.linear(hidden_NH, weight_VH, bias_V).to(hidden_NH.dtype)
        return functional.cross_entropy(logits_NV, targets_N, ignore_index=IGNORED, reduction="sum")
    nats: Tensor = _LinearCrossEntropy.apply(hidden_NH, weight_VH, bias_V, targets_N)
    return nats
