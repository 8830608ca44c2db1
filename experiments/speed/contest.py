"""A contest: the Trainer's loop (a) and others train block by block in turn, in one process.

Shapes: T time, B batch.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import math
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from conventional import Conventional, conventional_step
from plain import CLIP, plain_step
from pytorch_lightning.loggers import TensorBoardLogger
from sizes import Data, Size, build_network, without_model_checkpoint, zipf_batches
from torch import Tensor

from rnnlm.data.batching import Batch, Batches
from rnnlm.model.language_model import LanguageModel
from rnnlm.training.module import LanguageModelModule
from rnnlm.training.optimizer import OptimizerConfig
from rnnlm.training.progress import ReportProgress
from rnnlm.training.stopwatch import Stopwatch
from rnnlm.training.trainer import EarlyStoppingConfig, TrainerConfig, build_trainer

LR = 1e-3
# On a GPU, the Trainer's step is captured within this many.
STEPS_UNTIL_CAPTURED = 30
# Trains so many steps.
Block = Callable[[int], None]


@dataclass(frozen=True)
class Arithmetic:
    """What the products of float32 numbers are rounded to on a GPU.

    Attributes:
        matmul: that of `torch.set_float32_matmul_precision`; `highest` rounds nothing.
        rnn: that of `torch.backends.cudnn.rnn.fp32_precision`; `ieee` rounds nothing.
    """

    matmul: str
    rnn: str

    @classmethod
    def now(cls) -> Arithmetic:
        """Return the one that this process is set to."""
        return cls(torch.get_float32_matmul_precision(), torch.backends.cudnn.rnn.fp32_precision)

    def set(self) -> None:
        """Set this process to it."""
        torch.set_float32_matmul_precision(self.matmul)
        torch.backends.cudnn.rnn.fp32_precision = self.rnn

    @contextlib.contextmanager
    def in_force(self) -> Iterator[None]:
        """Compute by it in this context, whatever has been set before."""
        before = Arithmetic.now()
        self.set()
        try:
            yield
        finally:
            before.set()


PYTORCH_DEFAULT = Arithmetic.now()
IEEE = Arithmetic("highest", "ieee")


def synchronize(device: torch.device) -> None:
    """Wait until a GPU has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def bare_step(
    network: LanguageModel, batches: Iterator[tuple[Tensor, Tensor]]
) -> Callable[[], None]:
    """Return (b), one step of training without a Trainer."""
    return plain_step(network, batches, OptimizerConfig(lr=LR))


class Interleaved(Batches):
    """Batches for the Trainer; after each block of them, the others train for a block.

    The Trainer's time for a block runs from its request for the first batch of the block to its
    request for the batch after the last. The first block of each is not counted: in it, memory is
    allocated, kernels are loaded, and a GPU's step is captured.
    """

    def __init__(
        self,
        batches: list[tuple[Tensor, Tensor]],
        others: dict[str, Block],
        steps: dict[str, int],
        rounds: int,
        device: torch.device,
    ) -> None:
        super().__init__()
        self.batches, self.others, self.steps, self.rounds = batches, others, steps, rounds
        self.device = device
        self.first_steps = max(steps["a"], STEPS_UNTIL_CAPTURED if device.type == "cuda" else 1)
        self.num_tokens = len(self) * batches[0][0].numel()
        self.seconds: dict[str, list[float]] = {name: [] for name in ("a", *others)}

    def to(self, device: torch.device) -> Interleaved:
        return self

    def __len__(self) -> int:
        # One more, so that the Trainer asks for a batch after the last block.
        return self.first_steps + self.rounds * self.steps["a"] + 1

    def _epoch(self) -> Iterator[Batch]:
        endless = itertools.cycle(self.batches)
        for number in range(self.rounds + 1):
            synchronize(self.device)
            started = time.perf_counter()
            for step in range(self.steps["a"] if number else self.first_steps):
                inputs_TB, targets_TB = next(endless)
                yield Batch(inputs_TB, targets_TB, targets_TB.numel(), number == step == 0)
            self.note("a", started, number)
            for name, other in self.others.items():
                started = time.perf_counter()
                other(self.steps[name])
                self.note(name, started, number)
        inputs_TB, targets_TB = next(endless)
        yield Batch(inputs_TB, targets_TB, targets_TB.numel(), starts=False)

    def note(self, name: str, started: float, number: int) -> None:
        synchronize(self.device)
        if number > 0:
            self.seconds[name].append((time.perf_counter() - started) / self.steps[name])


def autocast(precision: str, device: torch.device) -> contextlib.AbstractContextManager[object]:
    """Return the context in which the Trainer runs a step in a precision."""
    dtype = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}.get(precision)
    return torch.autocast(device.type, dtype, enabled=dtype is not None)


@dataclass(frozen=True)
class Contestant:
    """A loop beside the Trainer's, (a)."""

    network: torch.nn.Module
    step_of: Callable[..., Callable[[], None]]
    precision: str
    # None: that of the Trainer, in whose fit the contest takes place.
    arithmetic: Arithmetic | None = PYTORCH_DEFAULT

    def step(self, batches: list[tuple[Tensor, Tensor]], device: torch.device) -> Block:
        """Return a function that trains so many steps, whatever its caller has set."""
        step = self.step_of(self.network.to(device), itertools.cycle(batches))

        def train(steps: int) -> None:
            by_it = self.arithmetic.in_force() if self.arithmetic else contextlib.nullcontext()
            with by_it, autocast(self.precision, device):
                for _ in range(steps):
                    step()

        return train


def contestants(
    cell: str, kind: str, size: Size, device: torch.device, arguments: argparse.Namespace
) -> dict[str, Contestant]:
    """Return all but (a), by the name that the table gives them."""
    precision = arguments.precision

    def conventional(
        E: int, precision: str = precision, arithmetic: Arithmetic = PYTORCH_DEFAULT
    ) -> Contestant:
        network = Conventional(cell, kind, size.V, E, size.H, size.L)
        return Contestant(network, conventional_step, precision, arithmetic)

    found = {"b": Contestant(build_network(cell, kind, size), bare_step, precision, None)}
    found["c"] = conventional(size.E)
    if precision != "32-true":
        found["c float32"] = conventional(size.E, "32-true")
    elif device.type == "cuda":
        found["c IEEE"] = conventional(size.E, arithmetic=IEEE)
    if arguments.wide and kind == "embed":
        found["c wide"] = conventional(size.V)
    return found


def contest(
    cell: str, kind: str, size: Size, device: torch.device, arguments: argparse.Namespace
) -> dict[str, list[float]]:
    """Return the seconds per step of each contestant, round by round."""
    batches = zipf_batches(size, device)
    blocks = {
        name: contestant.step(batches, device)
        for name, contestant in contestants(cell, kind, size, device, arguments).items()
    }
    steps = {}
    # A GPU's kernels are loaded at their first use, and one step of it is too short to be timed.
    few = 3 if device.type == "cuda" else 1
    for name, train in blocks.items():
        train(few)
        synchronize(device)
        started = time.perf_counter()
        train(few)
        synchronize(device)
        seconds = (time.perf_counter() - started) / few
        steps[name] = max(1, math.ceil(arguments.seconds / seconds))
    steps["a"] = steps["b"]
    interleaved = Interleaved(batches, blocks, steps, arguments.rounds, device)
    config = trainer_config(device, arguments)
    of_a = Arithmetic(config.float32_matmul_precision, PYTORCH_DEFAULT.rnn)
    with tempfile.TemporaryDirectory() as folder, of_a.in_force():
        trainer = build_trainer(
            config,
            EarlyStoppingConfig(),
            Path(folder),
            [TensorBoardLogger(folder)],
            [Stopwatch(), ReportProgress(Path(folder))],
        )
        module = LanguageModelModule(build_network(cell, kind, size), OptimizerConfig(lr=LR))
        # The timing ends before the epoch does: do not write gigabytes after it.
        without_model_checkpoint(trainer).fit(module, Data(interleaved))
    return interleaved.seconds


def trainer_config(device: torch.device, arguments: argparse.Namespace) -> TrainerConfig:
    """Return the options of the Trainer of (a)."""
    return TrainerConfig(
        accelerator=device.type,
        precision=arguments.precision,
        max_epochs=1,
        gradient_clip_val=CLIP,
        **dict(option.split("=", 1) for option in arguments.trainer),
    )
