"""The input of a layer, before it becomes the input part of the layer's gates.

The input part is x W_ihᵀ + b: the input's share of the gates before activation.

Shapes: T time, B batch, R rows of a table, I inputs, G all gates (`num_gates` · H); `…` is (T, B)
or (B,).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from rnnlm.model.product import linear


@dataclass(frozen=True)
class Lookup:
    """The gates' input part of each token is a row of a table; without an index, the next row."""

    table_RG: Tensor
    index: Tensor | None = None

    def gates(self) -> Tensor:
        """Return the input part of all gates, (…, G)."""
        if self.index is None:
            return self.table_RG
        return nn.functional.embedding(self.index, self.table_RG)


@dataclass(frozen=True)
class Dense:
    """The gates' input part is x Wᵀ + b for a vector x."""

    x: Tensor
    weight_GI: Tensor
    bias_G: Tensor

    def gates(self) -> Tensor:
        """Return the input part of all gates, (…, G)."""
        return linear(self.x, self.weight_GI).add_(self.bias_G)


LayerInput = Lookup | Dense
