"""The continuous cache: what followed hidden states like the present one is likely to follow again.

E. Grave, A. Joulin and N. Usunier, "Improving neural language models with a continuous cache",
ICLR 2017, equation 3:

    p(w | h_t) ∝ Σ_{i < t} [x_{i+1} = w] exp(θ h_t · h_i)

over the last tokens of the same stream or document. θ, the flatness, is chosen on validation.

Shapes: T time, B rows, H hidden, S remembered, F flatnesses.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rnnlm.data.batching import IGNORED


class NeuralCache:
    """The hidden states of the last tokens, and what followed each.

    Args:
        size: how many tokens are remembered.
        flatnesses: the θ that probabilities are given for.
    """

    def __init__(self, size: int, flatnesses: Sequence[float]) -> None:
        self._size, self._flatnesses = size, flatnesses
        self.forget()

    def forget(self) -> None:
        """Start from nothing, as at the beginning of a text."""
        self._keys_SBH: Tensor | None = None
        self._values_SB: Tensor | None = None

    def probabilities(self, hidden_TBH: Tensor, targets_TB: Tensor) -> Tensor:
        """The probability of each target by each flatness, (F, T, B); then all are remembered.

        A target is predicted from what stands before it alone, and is 0 where nothing does.
        """
        keys_SBH, values_SB = hidden_TBH, targets_TB
        if self._keys_SBH is not None and self._values_SB is not None:
            keys_SBH = torch.cat([self._keys_SBH, hidden_TBH])
            values_SB = torch.cat([self._values_SB, targets_TB])
        scores_BTS = torch.einsum("tbh,sbh->bts", hidden_TBH, keys_SBH)
        num_keys, steps = len(keys_SBH), len(hidden_TBH)
        places_S = torch.arange(num_keys, device=hidden_TBH.device)
        own_T1 = places_S[num_keys - steps :].unsqueeze(1)
        near_TS = (places_S < own_T1) & (places_S >= own_T1 - self._size)
        known_BTS = near_TS & (values_SB.t() != IGNORED).unsqueeze(1)
        scores_BTS = scores_BTS.masked_fill(~known_BTS, -torch.inf)
        same_BTS = (values_SB.t().unsqueeze(1) == targets_TB.t().unsqueeze(2)) & known_BTS
        # Of nothing a softmax is NaN.
        shares = [
            ((theta * scores_BTS).softmax(2).nan_to_num() * same_BTS).sum(2).t()
            for theta in self._flatnesses
        ]
        self._keys_SBH, self._values_SB = keys_SBH[-self._size :], values_SB[-self._size :]
        return torch.stack(shares)
