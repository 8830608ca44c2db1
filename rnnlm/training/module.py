"""The one LightningModule: any cell and features, its loss, its metrics and its optimizer.

Shapes: T time, B batch, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor
from torch.nn.utils import clip_grad_norm_, clip_grad_value_
from torch.optim import Optimizer

from rnnlm.data.batching import IGNORED, Batch, Batches
from rnnlm.data.texts.splitting import SPLITS, VALIDATION
from rnnlm.metrics import Total, perplexity
from rnnlm.model.language_model import LanguageModel, State, detach
from rnnlm.training.divergence import (
    DivergenceCheck,
    refuse_diverged_weights,
    refuse_divergence,
)
from rnnlm.training.optimizer import (
    OptimizerConfig,
    Schedule,
    build_optimizer,
    build_schedule,
)
from rnnlm.training.step_graph import LearningRateOnDevice, StepGraphs

VALIDATION_LOSS = f"loss/{VALIDATION}"
# Names metrics taken during training, with dropout on, while the weights change.
TRAIN_RUNNING = "train_running"
# The key under which a checkpoint says which run it belongs to.
FINGERPRINT = "fingerprint"


class LanguageModelModule(LightningModule):
    """Trains a `LanguageModel` by truncated backpropagation through time.

    The state is carried from batch to batch within a pass over a split, and starts from zero where
    the batch says that its streams start; training and evaluation carry states of their own.

    A step does its own gradient, clipping and optimizer, and Lightning's loop only counts it, which
    costs less of its time. On a GPU the whole step is a CUDA graph wherever shapes repeat
    (`rnnlm/training/step_graph.py`).

    Args:
        described: what checkpoints say of the network besides its weights
            (`rnnlm.runs.checkpoint.describe`).
    """

    def __init__(
        self,
        network: LanguageModel,
        optimizer: OptimizerConfig,
        described: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self._described = described or {}
        self.network = network
        self.optimizer_config = optimizer
        # The loss of every epoch so far, in nats per token; None for one that was not validated.
        self.history: dict[str, list[float | None]] = {TRAIN_RUNNING: [], VALIDATION: []}
        self.train_total = Total()
        self.validation_total = Total()
        # The totals of train, validation and test in evaluation, after `Trainer.test`.
        self.evaluated: dict[str, Total] = {}
        self._divergence = DivergenceCheck()
        self._train_state: State | None = None
        self._evaluation_state: State | None = None
        # None on a CPU, and in training where Lightning does the parts of a step.
        self._step_graphs: StepGraphs | None = None
        self._evaluation_graphs: StepGraphs | None = None
        self._does_whole_steps = False

    def __setattr__(self, name: str, value: Any) -> None:
        # At every hook Lightning sets the name of the hook, and at every step we set the state.
        # PyTorch would look each time for a parameter, a module or a buffer in the value.
        if name in ("_current_fx_name", "_train_state"):
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def nats(self, batch: Batch, state: State | None) -> tuple[Tensor, State]:
        """Return the total negative log-likelihood of a batch in nats, and the state after it."""
        nats, state = self.network.nats(
            batch.inputs_TB, batch.targets_TB, None if batch.starts else state
        )
        return nats, detach(state)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the network's description, the carried state, the totals and the history.

        Raises:
            DivergedError: training has diverged; nothing is written.
        """
        self._divergence.check()
        refuse_diverged_weights(checkpoint["state_dict"].values(), self.trainer.global_step)
        checkpoint.update(self._described)
        checkpoint["train_state"] = self._train_state
        checkpoint["train_total"] = (self.train_total.nats, self.train_total.num_tokens)
        checkpoint["history"] = self.history

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        device = self.trainer.strategy.root_device
        state = checkpoint["train_state"]
        if state is not None:
            self._train_state = tuple(tuple(t.to(device) for t in layer) for layer in state)
        for optimizer in checkpoint["optimizer_states"]:
            for group in optimizer["param_groups"]:
                if "capturable" in group:  # the run may have begun on another device
                    group["capturable"] = device.type == "cuda" and group["fused"]
        self.train_total = Total(*checkpoint["train_total"])
        self.history = checkpoint["history"]

    def setup(self, stage: str) -> None:
        if self.trainer.strategy.root_device.type == "cuda":
            self._evaluation_graphs = StepGraphs(self._evaluate, self.network.initial_state)

    def on_train_start(self) -> None:
        trainer = self.trainer
        # Lightning reads the scale of gradients and looks for anomalies between the parts of a
        # step, and adds up gradients over several.
        in_parts = trainer.precision == "16-mixed" or torch.is_anomaly_enabled()
        self._does_whole_steps = not (in_parts or trainer.accumulate_grad_batches > 1)
        # The learning rate that a graph reads is float32.
        if (
            self._does_whole_steps
            and trainer.strategy.root_device.type == "cuda"
            and trainer.precision != "64-true"
        ):
            self._rate = LearningRateOnDevice(trainer.optimizers[0], self.device)
            self._step_graphs = StepGraphs(self._whole_step, self.network.initial_state)

    def teardown(self, stage: str) -> None:
        # Graphs hold addresses of weights, which move before the next stage.
        self._step_graphs = self._evaluation_graphs = None

    def on_train_epoch_start(self) -> None:
        self.train_total.reset()
        if isinstance(batches := self.trainer.train_dataloader, Batches):
            batches.set_epoch(self.current_epoch)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        state = None if batch.starts else self._train_state
        graphs = self._step_graphs
        if graphs is not None and graphs.takes(batch):
            self._rate.update()
            (loss, nats), self._train_state = graphs.run(batch, state)
        elif self._does_whole_steps:
            (loss, nats), self._train_state = self._whole_step(batch, state)
        else:
            loss, nats, self._train_state = self._loss(batch, state)
        self.train_total.add(nats, batch.num_tokens)
        # Now, since `LastCheckpoint` may save after the step.
        self._divergence.add(loss, self.global_step + 1)
        return loss

    def _loss(self, batch: Batch, state: State | None) -> tuple[Tensor, Tensor, State]:
        """Return the loss of a batch, its total nats, and the state after it."""
        network = self.network
        hidden_TBH, state = network.hidden(batch.inputs_TB, state)
        after_dropout_TBH = network.apply_dropout(hidden_TBH)
        nats = network.nats_of(after_dropout_TBH, batch.targets_TB)
        loss = nats / _num_targets(batch) + network.activation_penalty(
            hidden_TBH, after_dropout_TBH
        )
        return loss if batch.scale == 1 else loss * batch.scale, nats, detach(state)

    def _whole_step(self, batch: Batch, state: State | None) -> tuple[tuple[Tensor, ...], State]:
        """Do what Lightning does in a training step, without its hooks."""
        trainer, optimizer = self.trainer, self.trainer.optimizers[0]
        optimizer.zero_grad()
        loss, nats, state = self._loss(batch, state)
        with torch.autocast(self.device.type, enabled=False):
            loss.backward()
        self.configure_gradient_clipping(
            optimizer, trainer.gradient_clip_val, trainer.gradient_clip_algorithm
        )
        optimizer.step()
        return (loss.detach(), nats.detach()), state

    def backward(self, loss: Tensor, *args: Any, **kwargs: Any) -> None:
        if not self._does_whole_steps:
            super().backward(loss, *args, **kwargs)

    def optimizer_zero_grad(self, epoch: int, batch_idx: int, optimizer: Optimizer) -> None:
        if not self._does_whole_steps:
            super().optimizer_zero_grad(epoch, batch_idx, optimizer)

    def optimizer_step(
        self, epoch: int, batch_idx: int, optimizer: Any, optimizer_closure: Any = None
    ) -> None:
        if self._does_whole_steps:
            optimizer_closure()
        else:
            super().optimizer_step(epoch, batch_idx, optimizer, optimizer_closure)

    def on_train_epoch_end(self) -> None:
        self._divergence.check()
        metrics = self._keep_epoch(self.train_total, TRAIN_RUNNING)
        # Straight to the loggers. Lightning would log an epoch after `last.ckpt`, which says that
        # the epoch is done, has been written; a kill in between would lose the metrics.
        for logger in self.trainer.loggers:
            # Like Lightning: steps count from 0, and the epoch is logged too.
            epoch = {"epoch": self.current_epoch}
            logger.log_metrics(metrics | epoch, self.trainer.global_step - 1)
            logger.save()

    def on_validation_epoch_start(self) -> None:
        self.validation_total.reset()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self.validation_total.add(self._evaluated_nats(batch), batch.num_tokens)

    def on_validation_epoch_end(self) -> None:
        for name, value in self._keep_epoch(self.validation_total, VALIDATION).items():
            # A float64 tensor, because Lightning rounds a Python number to float32.
            self.log(name, torch.tensor(value, dtype=torch.float64))

    def on_test_epoch_start(self) -> None:
        self.evaluated = {split: Total() for split in SPLITS}

    def test_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        self.evaluated[SPLITS[dataloader_idx]].add(self._evaluated_nats(batch), batch.num_tokens)

    def _evaluated_nats(self, batch: Batch) -> Tensor:
        """Return the total nats of a batch in evaluation, and keep the state after it."""
        state = None if batch.starts else self._evaluation_state
        graphs = self._evaluation_graphs
        if graphs is not None and graphs.takes(batch):
            (nats,), self._evaluation_state = graphs.run(batch, state)
        else:
            nats, self._evaluation_state = self.nats(batch, state)
        return nats

    def _evaluate(self, batch: Batch, state: State) -> tuple[tuple[Tensor, ...], State]:
        """Evaluate a batch in the form that graphs record."""
        nats, state = self.network.nats(batch.inputs_TB, batch.targets_TB, state)
        return (nats,), state

    def _keep_epoch(self, total: Total, name: str) -> dict[str, float]:
        """Add an epoch's loss to the history, and return its metrics by their logged names."""
        refuse_divergence(name, total.loss, self.trainer.global_step)
        losses = self.history[name]
        # If an epoch is repeated after an interruption, its loss replaces the earlier one.
        losses += [None] * (self.current_epoch + 1 - len(losses))
        losses[self.current_epoch] = total.loss
        return {f"loss/{name}": total.loss, f"ppl/{name}": perplexity(total.loss)}

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        # Lightning refuses to clip for a fused optimizer under autocast, because of the gradient
        # scaler; but bf16-mixed has none, and for 16-mixed the optimizer is not fused.
        if gradient_clip_val is not None:
            clip = clip_grad_value_ if gradient_clip_algorithm == "value" else clip_grad_norm_
            clip(self.network.parameters(), gradient_clip_val)

    def configure_optimizers(self) -> Any:
        fused = self.trainer.precision != "16-mixed"
        on_gpu = self.trainer.strategy.root_device.type == "cuda"
        optimizer = build_optimizer(
            self.optimizer_config, self.network.parameters(), fused, capturable=on_gpu and fused
        )
        num_steps = int(self.trainer.estimated_stepping_batches)
        schedule = build_schedule(self.optimizer_config, optimizer, num_steps)
        if schedule is None:
            return optimizer
        by_epoch = self.optimizer_config.schedule is Schedule.plateau
        return {
            "optimizer": optimizer,
            "lr_scheduler": {
                "scheduler": schedule,
                # Lightning updates the schedule by step, because its epoch ends after `last.ckpt`
                # has been written.
                "interval": "step",
                "frequency": int(self.trainer.num_training_batches) if by_epoch else 1,
                "monitor": VALIDATION_LOSS,
            },
        }


def _num_targets(batch: Batch) -> Tensor | int:
    """The number of targets that count; on a GPU counted there, since graphs hold no numbers."""
    if batch.targets_TB.is_cuda:
        return (batch.targets_TB != IGNORED).sum().clamp(min=1)
    # A very short batch may hold only `<bos>` targets, which do not count.
    return max(batch.num_tokens, 1)
