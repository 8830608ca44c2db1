"""rnnlm/training/step_graph.py: graphs that give what plain steps give, for the right batches.

The CUDA graphs of the first tests are stand-ins that compute when they are replayed; those marked
`gpu` are real.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pytorch_lightning import LightningDataModule
from torch import Tensor

from rnnlm.data.batching import Batch, Batches
from rnnlm.model.language_model import State
from rnnlm.training import step_graph
from rnnlm.training.averaging import AverageWeights
from rnnlm.training.module import LanguageModelModule
from rnnlm.training.optimizer import Averaging, OptimizerConfig, Schedule
from rnnlm.training.step_graph import STEPS_BEFORE_RECORDING, LearningRateOnDevice, StepGraphs
from rnnlm.training.trainer import EarlyStoppingConfig, TrainerConfig, build_trainer
from tests.support.networks import every_variant, network, streams


def read(batch: Batch, state: State) -> tuple[tuple[Tensor, ...], State]:
    """A step with a carried state, which depends on the tokens, the targets and the scale."""
    ((h_B,),) = state
    after_B = 0.5 * h_B + batch.inputs_TB.sum(0).double() + 0.1 * batch.targets_TB.sum(0)
    return (after_B.sum() * batch.scale,), ((after_B,),)


def zero_state(batch_size: int) -> State:
    return ((torch.zeros(batch_size, dtype=torch.float64),),)


class Replayed:
    """Stands in for `torch.cuda.CUDAGraph`: computes in the memory of the recorded step."""

    graphs: StepGraphs

    def replay(self) -> None:
        recorded = next(r for r in vars(self.graphs)["_recorded"].values() if r.graph is self)
        results, after = read(recorded.batch, recorded.state)
        for kept, found in zip(
            (*recorded.results, *recorded.state[0]), (*results, *after[0]), strict=True
        ):
            kept.copy_(found)

    def pool(self) -> None:
        return None


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    class Recording:
        def __init__(self, graph: Replayed, pool: object) -> None:
            pass

        def __enter__(self) -> None:
            pass

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Replayed)
    monkeypatch.setattr(torch.cuda, "graph", Recording)


def batch_of(steps: int, number: int, starts: bool) -> Batch:
    generator = torch.Generator().manual_seed(number)
    inputs_TB, targets_TB = torch.randint(9, (2, steps, 3), generator=generator)
    return Batch(inputs_TB, targets_TB, 3 * steps, starts)


BATCHES = st.lists(st.tuples(st.integers(1, 3), st.booleans()), max_size=40)


@pytest.mark.usefixtures("stand_in")
@given(drawn=BATCHES)
def test_in_any_order_of_shapes_and_starts_the_results_are_those_of_plain_steps(
    drawn: list[tuple[int, bool]],
) -> None:
    graphs = Replayed.graphs = StepGraphs(read, zero_state)
    plain_state: State | None = None
    state: State | None = None
    for number, (steps, starts) in enumerate(drawn):
        batch = batch_of(steps, number, starts)
        before = zero_state(3) if starts or plain_state is None else plain_state
        (expected,), plain_state = read(batch, before)
        state = None if starts else state
        if graphs.takes(batch):
            (found,), state = graphs.run(batch, state)
        else:
            (found,), state = read(batch, state or zero_state(3))
        assert found.item() == expected.item()
        assert torch.equal(state[0][0], plain_state[0][0])


@pytest.mark.usefixtures("stand_in")
def test_a_shape_is_recorded_once_it_has_come_often_enough() -> None:
    graphs = Replayed.graphs = StepGraphs(read, zero_state)
    taken = [graphs.takes(batch_of(2, 1, False)) for _ in range(STEPS_BEFORE_RECORDING + 1)]
    assert taken == [*[False] * STEPS_BEFORE_RECORDING, True]
    assert not graphs.takes(batch_of(3, 1, False))
    assert not graphs.takes(batch_of(2, 1, False)._replace(scale=0.5))


@pytest.mark.usefixtures("stand_in")
def test_so_many_shapes_are_recorded_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_graph, "MOST_GRAPHS", 2)
    monkeypatch.setattr(step_graph, "STEPS_BEFORE_RECORDING", 0)
    graphs = Replayed.graphs = StepGraphs(read, zero_state)
    taken = []
    for steps in (1, 2, 3, 1):
        batch = batch_of(steps, 1, False)
        taken.append(graphs.takes(batch))
        if taken[-1]:
            graphs.run(batch, None)
    assert taken == [True, True, False, True]


def test_a_step_that_cannot_be_recorded_runs_plainly_and_the_log_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Refused:
        def __init__(self, graph: object, pool: object) -> None:
            raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Replayed)
    monkeypatch.setattr(torch.cuda, "graph", Refused)
    monkeypatch.setattr(step_graph, "STEPS_BEFORE_RECORDING", 0)
    graphs = StepGraphs(read, zero_state)
    batch = batch_of(2, 1, False)
    assert graphs.takes(batch)
    (found,), _ = graphs.run(batch, None)
    (expected,), _ = read(batch, zero_state(3))
    assert found.item() == expected.item()
    assert not graphs.takes(batch)
    assert [record.message for record in caplog.records] == [
        "steps run without a CUDA graph, which is slower: operation not permitted when stream is "
        "capturing"
    ]


def test_during_a_step_the_learning_rate_is_a_tensor_and_otherwise_a_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: False)
    parameter = torch.nn.Parameter(torch.ones(()))
    optimizer = torch.optim.SGD([parameter], 0.5)
    seen: list[Any] = []
    rate = LearningRateOnDevice(optimizer, torch.device("cpu"))
    optimizer.register_step_pre_hook(lambda *_: seen.append(optimizer.param_groups[0]["lr"]))
    for lr in (0.5, 0.25):
        optimizer.param_groups[0]["lr"] = lr
        parameter.grad = torch.ones(())
        optimizer.step()
        assert isinstance(seen[-1], Tensor)
        assert optimizer.param_groups[0]["lr"] == lr
    assert parameter.item() == 1 - 0.5 - 0.25
    # A graph reads the tensor, which is brought up to date before it is replayed.
    optimizer.param_groups[0]["lr"] = 0.125
    rate.update()
    assert seen[-1].item() == 0.125


class Data(LightningDataModule):
    """Tokens on the GPU: batches of one shape, and a shorter last one."""

    def train_dataloader(self) -> Batches:
        return streams(8 * 3 * 10 + 7, 3, 8).to(torch.device("cuda"))

    def val_dataloader(self) -> Batches:
        return streams(300, 3, 10).to(torch.device("cuda"))

    def transfer_batch_to_device(self, batch: Batch, device: Any, dataloader_idx: int) -> Batch:
        return batch


def trained(folder: Path, cell: str, kind: str, precision: str) -> tuple[Any, list[Tensor]]:
    """The losses and the weights after two epochs of training on the GPU, with dropout."""
    torch.manual_seed(1)
    torch.cuda.manual_seed(1)
    net = network(cell, kind, 2, dropout=0.2, weight_dropout=0.2, variational_dropout=0.1)
    options = OptimizerConfig(schedule=Schedule.one_cycle, averaging=Averaging.ema)
    module = LanguageModelModule(net, options)
    config = TrainerConfig(accelerator="cuda", max_epochs=2, precision=precision)
    averaging = AverageWeights(options, module)
    trainer = build_trainer(config, EarlyStoppingConfig(), folder, [], [averaging])
    trainer.fit(module, Data())
    return module.history, [parameter.detach().cpu() for parameter in net.parameters()]


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@every_variant
def test_on_a_gpu_graphs_train_to_the_bits_of_plain_steps(
    cell: str,
    kind: str,
    layers: int,
    nonlinearity: str,
    precision: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if layers == 1 or nonlinearity == "relu":
        pytest.skip("two layers and tanh are enough")
    recorded: list[Batch] = []
    record = StepGraphs._record  # noqa: SLF001

    def noted(graphs: StepGraphs, batch: Batch) -> Any:
        recorded.append(batch)
        return record(graphs, batch)

    monkeypatch.setattr(StepGraphs, "_record", noted)
    found = trained(tmp_path / "graphs", cell, kind, precision)
    assert len(recorded) == 2  # one shape in training, one in validation
    monkeypatch.setattr(step_graph, "STEPS_BEFORE_RECORDING", 10**9)
    expected = trained(tmp_path / "plain", cell, kind, precision)
    assert len(recorded) == 2
    assert found[0] == expected[0]
    for one, other in zip(found[1], expected[1], strict=True):
        assert torch.equal(one, other)
