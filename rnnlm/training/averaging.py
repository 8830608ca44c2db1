"""Averages of the weights over the steps of training, which are measured in their place."""

from __future__ import annotations

from enum import Enum

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


class Averaging(Enum):
    """Which average of the weights is measured and kept, if any.

    `ema` is an exponential moving average from the first step on. `equal` weighs all steps alike
    from where it starts: at an epoch that is named (Izmailov et al. 2018), or else once the
    validation loss has not improved for a while (NT-ASGD, Merity et al. 2018, section 3).
    """

    none = "none"
    ema = "ema"
    equal = "equal"


class WeightAverage(nn.Module):
    """The average of a network's weights so far; its weights and its count are kept with a run's.

    Args:
        ema_decay: what an exponential average keeps of itself at each step; None weighs all alike.
    """

    def __init__(self, network: nn.Module, ema_decay: float | None) -> None:
        super().__init__()
        average = None if ema_decay is None else get_ema_multi_avg_fn(ema_decay)
        self.averaged = AveragedModel(network, multi_avg_fn=average)
        self.requires_grad_(False)

    @property
    def has_begun(self) -> bool:
        """Whether there is anything in it."""
        return bool(self.averaged.n_averaged)

    def add(self, network: nn.Module) -> None:
        """Count in the weights after another step."""
        self.averaged.update_parameters(network)

    def swap(self, network: nn.Module) -> None:
        """Exchange the network's weights with their average."""
        for average, current in zip(
            self.averaged.module.parameters(), network.parameters(), strict=True
        ):
            average.data, current.data = current.data, average.data
