"""Averages of the weights over the steps of training, which are measured in their place."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint
from torch import Tensor, nn

from rnnlm.data.texts.splitting import VALIDATION
from rnnlm.training.module import LanguageModelModule
from rnnlm.training.optimizer import Averaging, OptimizerConfig


class NetworkAverage(nn.Module):
    """An average of a network's weights over steps, which a GPU computes without being waited for.

    Its checkpoints are those of PyTorch's `AveragedModel`, which asks the device for the number of
    steps at each of them.

    Args:
        ema_decay: the share of itself that an exponential average keeps; None for an equal average.
    """

    n_averaged: Tensor

    def __init__(self, network: nn.Module, ema_decay: float | None) -> None:
        super().__init__()
        self.module = copy.deepcopy(network).requires_grad_(False)
        self.num_steps = 0
        self.register_buffer("n_averaged", torch.tensor(0))  # the same number, for checkpoints
        self.register_load_state_dict_post_hook(_read_num_steps)  # type: ignore[no-untyped-call]
        self._ema_decay = ema_decay

    @torch.no_grad()
    def add(self, network: nn.Module) -> None:
        """Add the network's present weights to the average; the first ones are copied."""
        averages, weights = _weights(self.module), _weights(network)
        if self.num_steps == 0:
            torch._foreach_copy_(averages, weights)
        elif self._ema_decay is not None:
            torch._foreach_lerp_(averages, weights, 1 - self._ema_decay)
        else:
            changes = torch._foreach_sub(weights, averages)  # noqa: SLF001 - no public name
            torch._foreach_div_(changes, self.num_steps + 1)
            torch._foreach_add_(averages, changes)
        self.num_steps += 1
        self.n_averaged.fill_(self.num_steps)


def _weights(network: nn.Module) -> list[Tensor]:
    return list(network.parameters())


def _read_num_steps(average: NetworkAverage, _: object) -> None:
    average.num_steps = int(average.n_averaged)


class AverageWeights(Checkpoint):
    """Keeps an average of a network's weights, which is validated and saved as best in their place.

    Every checkpoint holds both the weights and their average.

    It derives from `Checkpoint` because Lightning calls such callbacks last. In their list it is
    after `ModelCheckpoint`, which must save the average before the weights are put back, and before
    `LastCheckpoint`, which must save a step together with its average.
    """

    def __init__(self, config: OptimizerConfig, module: LanguageModelModule) -> None:
        self._config, self._module = config, module
        self._steps = 0  # number of training steps so far
        self.average: NetworkAverage | None = None
        if config.averaging is not Averaging.none:
            decay = config.ema_decay if config.averaging is Averaging.ema else None
            self.average = NetworkAverage(module.network, decay)
            # A part of the module moves to the module's device, and is in its checkpoints.
            module.average = nn.ModuleDict({"averaged": self.average})

    @property
    def has_begun(self) -> bool:
        """True once the weights of a step are in the average."""
        return self.average is not None and self.average.num_steps > 0

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the network's weights with their average, if it has begun.

        The values change places, and not the tensors, whose addresses a CUDA graph may hold.
        """
        if self.average is None or not self.has_begun:
            return
        weights, averages = _weights(self._module.network), _weights(self.average.module)
        kept = [weight.clone() for weight in weights]
        torch._foreach_copy_(weights, averages)
        torch._foreach_copy_(averages, kept)

    @contextlib.contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Use the averaged weights inside this context; not during a validation, which has them."""
        self.swap()
        try:
            yield
        finally:
            self.swap()

    def should_begin(self, epoch: int, validation_losses: list[float | None]) -> bool:
        """Return True if averaging is to start with the next step.

        Args:
            epoch: the present epoch, counted from 0.
            validation_losses: nats per token after each epoch; None for one without validation.
        """
        if self._config.averaging is Averaging.ema:
            return True
        if self._config.averaging_start is not None:
            return epoch >= self._config.averaging_start
        losses = [loss for loss in validation_losses if loss is not None]
        patience = self._config.averaging_patience
        return len(losses) > patience + 1 and losses[-1] > min(losses[: -patience - 1])

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._steps = trainer.global_step

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, index: int
    ) -> None:
        if self.average is None or trainer.global_step == self._steps:
            return  # gradients are accumulated over several batches
        self._steps = trainer.global_step
        if self.has_begun or self.should_begin(
            trainer.current_epoch, self._module.history[VALIDATION]
        ):
            self.average.add(self._module.network)

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.swap()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.swap()
