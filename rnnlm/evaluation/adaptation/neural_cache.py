"""The neural cache: tokens that followed similar hidden states are likely to come again.

E. Grave, A. Joulin and N. Usunier, "Improving neural language models with a continuous cache",
ICLR 2017, equation 3:

    p(w | h_t) ∝ Σ_{i < t} [x_{i+1} = w] exp(θ h_t · h_i)

over the last tokens of the same stream or document. θ, the flatness, is chosen on validation.

Shapes: T time, B batch, H hidden, S stored tokens, F flatnesses.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rnnlm.data.batching import IGNORED


class NeuralCache:
    """The last hidden states, and the token that followed each of them.

    Args:
        size: number of tokens to store.
        flatnesses: the values of θ for which to compute probabilities.
    """

    def __init__(self, size: int, flatnesses: Sequence[float]) -> None:
        self._size, self._flatnesses = size, flatnesses
        self.forget()

    def forget(self) -> None:
        """Empty the cache, at the beginning of a text."""
        self._keys_SBH: Tensor | None = None
        self._values_SB: Tensor | None = None

    def probabilities(self, hidden_TBH: Tensor, targets_TB: Tensor) -> Tensor:
        """Return each target's probability with each flatness, (F, T, B); then store the targets.

        Only tokens before a target predict it. Without any, its probability is 0.
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
        stored_BTS = near_TS & (values_SB.t() != IGNORED).unsqueeze(1)
        scores_BTS = scores_BTS.masked_fill(~stored_BTS, -torch.inf)
        same_BTS = (values_SB.t().unsqueeze(1) == targets_TB.t().unsqueeze(2)) & stored_BTS
        # An empty softmax is NaN.
        shares = [
            ((theta * scores_BTS).softmax(2).nan_to_num() * same_BTS).sum(2).t()
            for theta in self._flatnesses
        ]
        self._keys_SBH, self._values_SB = keys_SBH[-self._size :], values_SB[-self._size :]
        return torch.stack(shares)
