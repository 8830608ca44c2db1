"""rnnlm/training/averaging.py, alone and in the module's real training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from rnnlm.data.batching import Streams
from rnnlm.files.run_files import best_checkpoint, last_checkpoint
from rnnlm.results.record import COMPLETED
from rnnlm.runs.trained_model import load
from rnnlm.training.averaging import AverageWeights, NetworkAverage
from rnnlm.training.module import LanguageModelModule
from rnnlm.training.optimizer import Averaging, OptimizerConfig
from tests.conftest import Compose, trained
from tests.support.networks import Spy, streams, trainer


class Watched(LanguageModelModule):
    """Notes the weights after every step, and those that are validated."""

    def __init__(self, config: OptimizerConfig) -> None:
        torch.manual_seed(0)
        super().__init__(Spy(), config)
        self.after_steps: list[torch.Tensor] = []
        self.validated: list[torch.Tensor] = []

    def on_train_batch_end(self, *arguments: Any, **named: Any) -> None:
        super().on_train_batch_end(*arguments, **named)
        self.after_steps.append(self.network.output.weight.detach().clone())

    def on_validation_epoch_end(self) -> None:
        super().on_validation_epoch_end()
        self.validated.append(self.network.output.weight.detach().clone())


def watched(epochs: int = 4, **options: Any) -> Watched:
    module = Watched(OptimizerConfig(lr=0.05, **options))
    loop = trainer(epochs, AverageWeights(module.optimizer_config, module))
    loop.num_sanity_val_steps = 0
    loop.fit(module, streams(81, 4, 5), streams(31, 1, 10))
    return module


def test_what_is_validated_is_the_average_and_training_goes_on_without_it() -> None:
    plain, averaged = watched(), watched(averaging=Averaging.equal, averaging_start=2)
    for ours, expected in zip(averaged.after_steps, plain.after_steps, strict=True):
        assert torch.equal(ours, expected)
    for epoch in (0, 1):
        assert torch.equal(averaged.validated[epoch], plain.validated[epoch])
    for epoch in (2, 3):
        steps = plain.after_steps[8 : 4 * (epoch + 1)]
        torch.testing.assert_close(averaged.validated[epoch], torch.stack(steps).mean(0))


def test_the_average_takes_the_place_in_memory_of_the_weights() -> None:
    config = OptimizerConfig(averaging=Averaging.equal)
    module = LanguageModelModule(Spy(), config)
    averaging = AverageWeights(config, module)
    assert averaging.average is not None
    weight = module.network.output.weight
    place = weight.data_ptr()
    for value in (1.0, 3.0):
        torch.nn.init.constant_(weight, value)
        averaging.average.add(module.network)
    with averaging.averaged_weights():
        assert weight.data_ptr() == place
        assert (weight == 2).all()
    assert (weight == 3).all()


@pytest.mark.parametrize("decay", [None, 0.9])
def test_it_is_the_average_of_pytorch_and_reads_its_checkpoints(decay: float | None) -> None:
    network = Spy()
    function = None if decay is None else get_ema_multi_avg_fn(decay)
    theirs = AveragedModel(network, multi_avg_fn=function)
    ours = NetworkAverage(network, decay)
    for step in range(20):
        torch.nn.init.normal_(network.output.weight)
        theirs.update_parameters(network)
        ours.add(network)
        if step == 10:
            ours = NetworkAverage(network, decay)
            ours.load_state_dict(theirs.state_dict())
    assert ours.num_steps == 20
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for mine, other in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
        assert torch.equal(mine, other)


def test_an_exponential_average_is_of_all_steps() -> None:
    plain, averaged = watched(), watched(averaging=Averaging.ema, ema_decay=0.5)
    expected = plain.after_steps[0]
    for weight in plain.after_steps[1:]:
        expected = 0.5 * expected + 0.5 * weight
    torch.testing.assert_close(averaged.validated[-1], expected)


@pytest.mark.parametrize(
    ("losses", "begins"),
    [([3.0, 2.0], False), ([3.0, 2.0, 1.0, 0.5], False), ([3.0, 1.0, 2.0], False),
     ([1.0, 2.0, 2.0], False), ([1.0, 2.0, 2.0, 2.0], True), ([2.0, 1.0, 3.0, 1.5, 1.2], True)],
)  # fmt: skip
def test_without_a_start_it_begins_when_the_loss_no_longer_improves(
    losses: list[float], begins: bool
) -> None:
    config = OptimizerConfig(averaging=Averaging.equal, averaging_patience=2)
    averaging = AverageWeights(config, LanguageModelModule(Spy(), config))
    assert averaging.should_begin(len(losses), list(losses)) is begins


def test_the_best_checkpoint_holds_the_average_and_writes(compose: Compose, tmp_path: Path) -> None:
    options = ("data=tang", "model.tie_weights=true", "trainer.max_epochs=3", "optimizer.lr=0.01")
    config = compose(*options, "optimizer.averaging=ema", "optimizer.ema_decay=0.8")
    record = trained(config, tmp_path / "averaged")
    losses = [loss for loss in record.history["validation"] if loss is not None]
    assert record.best_epoch is not None
    assert record.validation is not None
    assert losses[record.best_epoch - 1] == min(losses)
    assert record.validation["loss"] == min(losses)
    saved = torch.load(best_checkpoint(tmp_path / "averaged"), weights_only=True)["state_dict"]
    model = load(tmp_path / "averaged")
    assert torch.equal(model.network.output.weight, saved["network.output.weight"])
    assert model.generate()[0].text
    assert record.validation != trained(compose(*options), tmp_path / "plain").validation


def test_a_run_that_was_never_validated_is_measured_by_its_average(
    compose: Compose, tmp_path: Path
) -> None:
    options = ("trainer.max_steps=8", "optimizer.averaging=ema", "optimizer.ema_decay=0.9")
    record = trained(compose(*options, "early_stopping.patience=1"), tmp_path)
    assert record.status == COMPLETED, record.error
    assert record.history["validation"] == []
    assert (record.epochs, record.best_epoch) == (1, 1)
    last, best = (
        torch.load(path(tmp_path), weights_only=True)["state_dict"]
        for path in (last_checkpoint, best_checkpoint)
    )
    average = last["average.averaged.module.output.weight"]
    assert not torch.equal(average, last["network.output.weight"])
    assert torch.equal(average, best["network.output.weight"])
    assert torch.equal(average, load(tmp_path).network.output.weight)


def test_with_accumulated_gradients_only_steps_count() -> None:
    config = OptimizerConfig(averaging=Averaging.ema)
    module = LanguageModelModule(Spy(), config)
    averaging = AverageWeights(config, module)
    loop = trainer(2, averaging)
    loop.accumulate_grad_batches = 3
    loop.fit(module, Streams(torch.arange(81) % 7, 4, 5), streams(31, 1, 10))
    assert averaging.average is not None
    assert int(averaging.average.n_averaged) == 4 == loop.global_step
