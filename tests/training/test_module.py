"""rnnlm/training/module.py: state and loss seen from inside a real Trainer."""

from __future__ import annotations

import pytest
import torch
from pytorch_lightning import LightningModule
from torch.optim import Optimizer

from rnnlm.model.cells import cells
from rnnlm.model.features import FeaturesConfig
from rnnlm.model.language_model import LanguageModel, State
from rnnlm.training.module import LanguageModelModule
from rnnlm.training.optimizer import OptimizerConfig
from tests.support.networks import Spy, V, streams, trainer


@pytest.fixture
def calls() -> list[tuple[bool, State | None, State]]:
    """Three epochs of 4 training and 3 validation batches, after a sanity check of 2."""
    network = Spy()
    module = LanguageModelModule(network, OptimizerConfig())
    trainer(3).fit(module, streams(81, 4, 5), streams(31, 1, 10))
    return network.calls


@pytest.mark.parametrize(("training", "batches"), [(True, 4), (False, 3)])
def test_the_state_is_carried_within_an_epoch_and_reset_at_its_start(
    calls: list[tuple[bool, State | None, State]], training: bool, batches: int
) -> None:
    skipped = 0 if training else 2
    own = [call for call in calls if call[0] is training][skipped:]
    assert len(own) == 3 * batches
    for index, (_, given, _) in enumerate(own):
        if index % batches == 0:
            assert given is None
        else:
            assert given is not None
            made = own[index - 1][2]
            for ours, before in zip(given[0], made[0], strict=True):
                assert torch.equal(ours, before)
                assert not ours.requires_grad


def test_a_sanity_check_leaves_no_trace() -> None:
    module = LanguageModelModule(Spy(), OptimizerConfig(lr=1e-12))
    validation = streams(31, 1, 10)
    trainer(1).fit(module, streams(81, 4, 5), validation)
    assert module.validation_total.num_tokens == validation.num_tokens
    assert trainer(1).validate(module, validation, verbose=False)[0]["loss/validation"] == (
        pytest.approx(module.validation_total.loss, rel=1e-6)
    )


def test_evaluation_does_not_depend_on_the_random_state() -> None:
    cell = cells()["gru"].Config(name="gru", hidden_size=4, dropout=0.9, num_layers=2)
    network = LanguageModel(V, cell, FeaturesConfig(name="onehot"))
    module = LanguageModelModule(network, OptimizerConfig())
    losses = []
    for seed in range(2):
        torch.manual_seed(seed)
        trainer(1).validate(module, streams(31, 1, 10), verbose=False)
        losses.append(module.validation_total.loss)
    assert losses[0] == losses[1]


def test_a_batch_weighs_in_training_what_it_says() -> None:
    module = LanguageModelModule(Spy(), OptimizerConfig())
    (batch,) = streams(20, 1, 100)
    whole = module.training_step(batch, 0)
    assert module.training_step(batch._replace(scale=0.25), 0) == whole / 4


@pytest.mark.parametrize("seq_len", [1, 7, 1000])
def test_the_loss_does_not_depend_on_how_the_split_is_cut(seq_len: int) -> None:
    torch.manual_seed(0)
    module = LanguageModelModule(Spy(), OptimizerConfig())
    trainer(1).validate(module, streams(300, 1, 10), verbose=False)
    expected = module.validation_total.loss
    trainer(1).validate(module, streams(300, 1, seq_len), verbose=False)
    assert module.validation_total.loss == pytest.approx(expected, rel=1e-6)
    assert module.validation_total.num_tokens == 299


def test_the_training_loss_is_the_mean_over_the_tokens_that_count() -> None:
    module = LanguageModelModule(Spy(), OptimizerConfig())
    batches = list(streams(31, 4, 5))
    assert batches[-1].num_tokens < batches[-1].targets_TB.numel()
    with torch.no_grad():
        nats, _ = module.nats(batches[0], None)
        logits, _ = module.network(batches[0].inputs_TB)
        loss = module.training_step(batches[0], 0)
    rows = logits.log_softmax(-1).flatten(0, 1)
    by_hand = -sum(rows[i, t] for i, t in enumerate(batches[0].targets_TB.flatten()))
    assert nats.item() == pytest.approx(float(by_hand), rel=1e-5)
    assert loss.item() == pytest.approx(float(by_hand) / batches[0].num_tokens, rel=1e-5)


def test_regularisation_is_added_to_the_loss_and_not_to_what_is_reported() -> None:
    losses, totals = [], []
    for weight in (0.0, 5.0):
        torch.manual_seed(0)
        module = LanguageModelModule(Spy(), OptimizerConfig())
        module.network.activation_regularization = weight
        losses.append(module.training_step(next(iter(streams(31, 4, 5))), 0).item())
        totals.append(module.train_total.loss)
    assert losses[1] > losses[0] + 0.001
    assert totals[0] == totals[1]


def test_it_is_a_lightning_module() -> None:
    assert isinstance(LanguageModelModule(Spy(), OptimizerConfig()), LightningModule)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize(("algorithm", "limit"), [("norm", 1e-3), ("value", 1e-4)])
def test_gradients_are_clipped_in_every_precision(
    precision: str, algorithm: str, limit: float
) -> None:
    found: list[float] = []

    class Watched(LanguageModelModule):
        def on_before_zero_grad(self, optimizer: Optimizer) -> None:
            gradients = [p.grad.flatten() for p in self.parameters() if p.grad is not None]
            if gradients:
                every = torch.cat(gradients)
                found.append(float(every.norm() if algorithm == "norm" else every.abs().max()))

    loop = trainer(
        2, precision=precision, gradient_clip_val=limit, gradient_clip_algorithm=algorithm
    )
    loop.fit(Watched(Spy(), OptimizerConfig()), streams(81, 4, 5), streams(31, 1, 10))
    assert found
    assert max(found) <= limit * (1 + 1e-5)
