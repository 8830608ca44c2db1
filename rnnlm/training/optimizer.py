"""Optimizers and learning-rate schedules, and their options."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from torch import nn, optim
from torch.optim import lr_scheduler

from rnnlm.options import option


class OptimizerName(Enum):
    """The optimizers of `conf/optimizer/`."""

    adam = "adam"
    adamw = "adamw"
    sgd = "sgd"


class Schedule(Enum):
    """The learning rate over the steps of training.

    `cosine` falls from `lr` to 0. `one_cycle` climbs to `lr` for `warmup_fraction` of the steps and
    falls to almost 0 (Smith & Topin 2019). `plateau` divides the rate by `decay` after an epoch
    that did not improve the validation loss.
    """

    constant = "constant"
    cosine = "cosine"
    one_cycle = "one_cycle"
    plateau = "plateau"


class Averaging(Enum):
    """The average of the weights that is measured and kept in their place, if any.

    `ema` is an exponential moving average from the first step on. `equal` is the plain mean
    over the steps. It starts at the epoch `averaging_start` (Izmailov et al. 2018), or else once
    the validation loss has stopped improving (NT-ASGD, Merity et al. 2018, section 3).
    """

    none = "none"
    ema = "ema"
    equal = "equal"


@dataclass
class OptimizerConfig:
    """Options of the optimizer and its schedule."""

    name: OptimizerName = OptimizerName.adam
    lr: float = option(2e-3, above=0)
    weight_decay: float = option(0.0, minimum=0)
    momentum: float = option(0.0, minimum=0, below=1)
    schedule: Schedule = Schedule.constant
    warmup_fraction: float = option(0.3, above=0, below=1)
    decay: float = option(4.0, above=1)
    averaging: Averaging = Averaging.none
    # The share of itself that an exponential average keeps at each step.
    ema_decay: float = option(0.999, above=0, below=1)
    # The epochs before an equal average starts. None: it starts once the validation loss is higher
    # than the lowest loss from more than `averaging_patience` validations ago.
    averaging_start: int | None = option(None, minimum=0)
    averaging_patience: int = option(5, minimum=1)


def build_optimizer(
    config: OptimizerConfig,
    parameters: Iterable[nn.Parameter],
    fused: bool = False,
    capturable: bool = False,
) -> optim.Optimizer:
    """Build the optimizer; only SGD has `momentum`.

    Args:
        fused: update a parameter in one pass over its memory. Gradients that a gradient scaler has
            scaled cannot be clipped then.
        capturable: its steps can be part of a CUDA graph; needs a GPU.
    """
    rate, decay = config.lr, config.weight_decay
    if config.name is OptimizerName.sgd:
        return optim.SGD(
            parameters, rate, momentum=config.momentum, weight_decay=decay, fused=fused
        )
    kind = optim.AdamW if config.name is OptimizerName.adamw else optim.Adam
    return kind(parameters, rate, weight_decay=decay, fused=fused, capturable=capturable)


def build_schedule(
    config: OptimizerConfig, optimizer: optim.Optimizer, num_steps: int
) -> lr_scheduler.LRScheduler | None:
    """Build the schedule over `num_steps` optimizer steps; a constant rate has none.

    Call its `step` after every epoch for `plateau`, and after every optimizer step for the others.
    """
    if config.schedule is Schedule.cosine:
        return lr_scheduler.CosineAnnealingLR(optimizer, num_steps)
    if config.schedule is Schedule.one_cycle:
        # The momentum stays as configured, so that only the learning rate changes.
        return lr_scheduler.OneCycleLR(
            optimizer,
            config.lr,
            total_steps=num_steps,
            pct_start=config.warmup_fraction,
            cycle_momentum=False,
        )
    if config.schedule is Schedule.plateau:
        return lr_scheduler.ReduceLROnPlateau(
            optimizer, factor=1 / config.decay, patience=0, threshold=0
        )
    return None
