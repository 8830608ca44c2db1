"""Speed of training, compared with the loop that people write and with the hardware.

    python experiments/speed/run.py [--sizes lyrics letters words] [--precision bf16-mixed] [--help]

One process times, in turn and block by block,
(a) the cell under the Trainer, as `python run.py` trains it,
(b) the same network in a plain loop,
(c) the conventional loop (conventional.py), in the same precision.
With `--wide`, (c) runs also with an embedding as wide as the vocabulary, and with a mixed precision
also in float32. Ratios are taken round by round. The table shows medians, and ranges in brackets.

The floor is the time that the products of the exact computation would take at the rate of the
fastest large matrix product measured here. One-hot input has no product; an embedding has one for
each distinct token of a batch. Memory is the peak of a fresh process that trains (b) or (c), less
what it held before the network was built, and less parameters, gradients and Adam's two moments.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import itertools
import logging
import math
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import torch
from conventional import Conventional, conventional_step
from pytorch_lightning import LightningDataModule
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import TensorBoardLogger
from torch import Tensor

from rnnlm.data.batching import Batch, Batches
from rnnlm.hardware import peak_memory_mb, reset_peak_memory
from rnnlm.model.cells import cells
from rnnlm.model.features import features
from rnnlm.model.language_model import LanguageModel, State, detach, num_parameters
from rnnlm.model.product import Product
from rnnlm.runtime import keep_freed_memory
from rnnlm.training.module import LanguageModelModule
from rnnlm.training.optimizer import OptimizerConfig, build_optimizer
from rnnlm.training.progress import ReportProgress
from rnnlm.training.stopwatch import Stopwatch
from rnnlm.training.trainer import EarlyStoppingConfig, TrainerConfig, build_trainer

CLIP = 1.0
LR = 1e-3


@dataclass(frozen=True)
class Size:
    """V vocabulary, E embedding, H hidden, L layers, T time steps, B batch."""

    V: int
    E: int
    H: int
    L: int
    T: int
    B: int

    @property
    def tokens(self) -> int:
        return self.T * self.B


def size_of(name: str, device: torch.device) -> Size:
    """Return a size: lyrics and letters are those of teaching code, words has many tokens."""
    return {
        "lyrics": Size(V=2581, E=512, H=512, L=2, T=20, B=128),
        "letters": Size(V=28, E=256, H=256, L=1, T=35, B=32),
        "words": Size(V=100_000, E=256, H=512, L=1, T=35, B=16 if device.type == "cpu" else 128),
    }[name]


def zipf_batches(size: Size, device: torch.device, count: int = 32) -> list[tuple[Tensor, Tensor]]:
    """Draw tokens by Zipf's law: the share of the r-th most frequent is 1 / (r + 2.7)."""
    generator = torch.Generator().manual_seed(0)
    share_V = 1 / (torch.arange(size.V) + 3.7)
    ids = torch.multinomial(share_V, size.tokens * count + 1, True, generator=generator).to(device)
    # Time first, each batch going on where the one before it ended.
    inputs, targets = ids[:-1].view(size.B, -1).t(), ids[1:].view(size.B, -1).t()
    return list(
        zip(inputs.contiguous().split(size.T), targets.contiguous().split(size.T), strict=True)
    )


def build_network(cell: str, kind: str, size: Size) -> LanguageModel:
    """Return this project's network of a size."""
    torch.manual_seed(0)
    features_config = features()[kind].Config(name=kind)
    if kind == "embed":
        features_config.embedding_size = size.E
    model = cells()[cell].Config(name=cell, hidden_size=size.H, num_layers=size.L)
    return LanguageModel(size.V, model, features_config)


def bare_step(
    network: LanguageModel, batches: Iterator[tuple[Tensor, Tensor]]
) -> Callable[[], None]:
    """Return (b), one step of training without a Trainer."""
    optimizer = build_optimizer(OptimizerConfig(lr=LR), network.parameters(), fused=True)
    state: State | None = None

    def step() -> None:
        nonlocal state
        inputs_TB, targets_TB = next(batches)
        nats, state = network.nats(inputs_TB, targets_TB, state)
        state = detach(state)
        optimizer.zero_grad()
        (nats / targets_TB.numel()).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimizer.step()

    return step


class Interleaved(Batches):
    """Batches for the Trainer; after each block of them, the others train for a block.

    The Trainer's time for a block runs from its request for the first batch of the block to its
    request for the batch after the last.
    """

    def __init__(
        self,
        batches: list[tuple[Tensor, Tensor]],
        others: dict[str, Callable[[], None]],
        steps: dict[str, int],
        rounds: int,
        synchronize: Callable[[], None],
    ) -> None:
        super().__init__()
        self.batches, self.others, self.steps, self.rounds = batches, others, steps, rounds
        self.synchronize = synchronize
        self.num_tokens = len(self) * batches[0][0].numel()
        self.seconds: dict[str, list[float]] = {name: [] for name in ("a", *others)}

    def to(self, device: torch.device) -> Interleaved:
        return self

    def __len__(self) -> int:
        # One more, so that the Trainer asks for a batch after the last block.
        return (self.rounds + 1) * self.steps["a"] + 1

    def _epoch(self) -> Iterator[Batch]:
        endless = itertools.cycle(self.batches)
        for number in range(self.rounds + 1):
            self.synchronize()
            started = time.perf_counter()
            for step in range(self.steps["a"]):
                inputs_TB, targets_TB = next(endless)
                yield Batch(inputs_TB, targets_TB, targets_TB.numel(), number == step == 0)
            self.note("a", started, number)
            for name, other in self.others.items():
                started = time.perf_counter()
                for _ in range(self.steps[name]):
                    other()
                self.note(name, started, number)
        inputs_TB, targets_TB = next(endless)
        yield Batch(inputs_TB, targets_TB, targets_TB.numel(), starts=False)

    def note(self, name: str, started: float, number: int) -> None:
        self.synchronize()
        if number > 0:  # the first round warms up
            self.seconds[name].append((time.perf_counter() - started) / self.steps[name])


class Data(LightningDataModule):
    """Gives the batches to the Trainer, as a corpus does; they are on their device already."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches = batches

    def train_dataloader(self) -> Batches:
        return self.batches

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, index: int) -> Batch:
        return batch


def autocast(precision: str, device: torch.device) -> contextlib.AbstractContextManager[object]:
    """Return the context in which the Trainer runs a step in a precision."""
    dtype = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}.get(precision)
    return torch.autocast(device.type, dtype, enabled=dtype is not None)


def in_precision(
    step: Callable[[], None], precision: str, device: torch.device
) -> Callable[[], None]:
    """Return the step in a precision, whatever the precision of its caller."""

    def stepped() -> None:
        with autocast(precision, device):
            step()

    return stepped


def contest(
    cell: str, kind: str, size: Size, device: torch.device, arguments: argparse.Namespace
) -> dict[str, list[float]]:
    """Return the seconds per step of each contestant, round by round."""
    batches = zipf_batches(size, device)
    precision = arguments.precision
    others = {"b": (build_network(cell, kind, size), bare_step, precision)}
    dense = Conventional(cell, kind, size.V, size.E, size.H, size.L)
    others["c"] = (dense, conventional_step, precision)
    if precision != "32-true":
        dense = Conventional(cell, kind, size.V, size.E, size.H, size.L)
        others["c float32"] = (dense, conventional_step, "32-true")
    if arguments.wide and kind == "embed":
        dense = Conventional(cell, kind, size.V, size.V, size.H, size.L)
        others["c wide"] = (dense, conventional_step, precision)
    steppers = {
        name: in_precision(step(network.to(device), itertools.cycle(batches)), used, device)
        for name, (network, step, used) in others.items()
    }
    steps = {}
    for name, step in steppers.items():
        step()
        started = time.perf_counter()
        step()
        steps[name] = max(1, math.ceil(arguments.seconds / (time.perf_counter() - started)))
    steps["a"] = steps["b"]
    synchronize = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    interleaved = Interleaved(batches, steppers, steps, arguments.rounds, synchronize)
    with tempfile.TemporaryDirectory() as folder:
        trainer = build_trainer(
            TrainerConfig(
                accelerator=device.type, precision=precision, max_epochs=1, gradient_clip_val=CLIP
            ),
            EarlyStoppingConfig(),
            Path(folder),
            [TensorBoardLogger(folder)],
            [Stopwatch(), ReportProgress(Path(folder))],
        )
        # The timing ends before the epoch does: do not write gigabytes after it.
        callbacks = trainer.callbacks
        trainer.callbacks = [c for c in callbacks if not isinstance(c, ModelCheckpoint)]
        module = LanguageModelModule(build_network(cell, kind, size), OptimizerConfig(lr=LR))
        trainer.fit(module, Data(interleaved))
    return interleaved.seconds


def matrix_product_rate(precision: str, device: torch.device) -> float:
    """Return the operations per second of the fastest large product, by either engine."""
    dtype = torch.float32 if precision == "32-true" else torch.bfloat16
    best = 0.0
    for n in (1024, 2048):
        x, weight = (torch.randn(n, n, device=device).to(dtype) for _ in range(2))
        for product in (Product(weight, n, 99, dtype), lambda x, weight=weight: x @ weight):
            for _ in range(6):
                if device.type == "cuda":
                    torch.cuda.synchronize()
                started = time.perf_counter()
                product(x)
                if device.type == "cuda":
                    torch.cuda.synchronize()
                best = max(best, 2 * n**3 / (time.perf_counter() - started))
    return best


def operations(cell: str, kind: str, size: Size, distinct: float) -> float:
    """Return the operations of a training step's products, one forward and two backward."""
    gates = cells()[cell].num_gates * size.H
    between = (2 * size.L - 1) * size.tokens * size.H * gates
    into_first = distinct * size.E * gates if kind == "embed" else 0
    return 3 * 2 * (between + into_first + size.tokens * size.H * size.V)


def memory_beyond_mb(
    who: str, cell: str, kind: str, size: Size, precision: str, device: torch.device
) -> float:
    """Return the peak memory of training in this fresh process, less what must be held."""
    batches = itertools.cycle(zipf_batches(size, device, 3))
    torch.randn(64, 64, device=device) @ torch.randn(64, 64, device=device)
    reset_peak_memory(device)
    before = peak_memory_mb(device) or math.nan
    if who == "c":
        network: torch.nn.Module = Conventional(cell, kind, size.V, size.E, size.H, size.L)
        step = conventional_step(network.to(device), batches)
    else:
        network = build_network(cell, kind, size)
        step = bare_step(network.to(device), batches)
    for _ in range(3):
        with autocast(precision, device):
            step()
    must = 4 * 4 * num_parameters(network) / 1e6
    return (peak_memory_mb(device) or math.nan) - before - must


def memory_in_fresh_process(
    who: str, cell: str, kind: str, name: str, precision: str, device: torch.device
) -> float:
    """Return the result of `memory_beyond_mb` in a process of its own."""
    command = [sys.executable, __file__, "--memory-of", who, cell, kind, name]
    command += ["--precision", precision, *(["--cpu"] if device.type == "cpu" else [])]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def show(values: list[float], form: str = ".2f") -> str:
    """Format the median and the range."""
    return f"{statistics.median(values):{form}} [{min(values):{form}}, {max(values):{form}}]"


def geometric_mean(values: list[float]) -> float:
    """Return the geometric mean, which suits ratios."""
    return math.exp(statistics.fmean(map(math.log, values)))


def measure(name: str, device: torch.device, arguments: argparse.Namespace) -> None:
    """Time all cells of a size, and print a table in Markdown."""
    size = size_of(name, device)
    rate = matrix_product_rate(arguments.precision, device)
    batches = zipf_batches(size, device)
    distinct = statistics.fmean(len(inputs_TB.unique()) for inputs_TB, _ in batches)
    print(f"\n### {name}, {arguments.precision}\n")
    print(
        f"V {size.V:,}, E {size.E}, H {size.H}, {size.L} layers, T {size.T}, B {size.B};", end=" "
    )
    print(f"{distinct:.0f} distinct tokens in a batch; products at {rate / 1e9:.0f} GFLOP/s\n")
    others = ["c float32"] if arguments.precision != "32-true" else []
    others += ["c wide"] if arguments.wide else []
    header = ["cell", "features", "a tokens/s", "b tokens/s", "c tokens/s", "**c / a**"]
    header += [f"{other} / a" for other in others]
    header += ["a / b", "floor / a", "b MB", "c MB"]
    print("| " + " | ".join(header) + " |\n|" + " :-- |" * 2 + " --: |" * (len(header) - 2))
    ratios: dict[str, list[tuple[str, float]]] = {"c": [], "a / b": [], **{o: [] for o in others}}
    for cell, kind in itertools.product(arguments.cells, arguments.features):
        gc.collect()  # a Trainer and its module hold each other
        seconds = contest(cell, kind, size, device, arguments)
        row = [cell, kind]
        row += [f"{size.tokens / statistics.median(seconds[who]):,.0f}" for who in "abc"]
        for other in ("c", *others):
            if other not in seconds:
                row.append("")
                continue
            by_round = [c / a for c, a in zip(seconds[other], seconds["a"], strict=True)]
            ratios[other].append((kind, statistics.median(by_round)))
            row.append(show(by_round))
        by_round = [a / b for a, b in zip(seconds["a"], seconds["b"], strict=True)]
        ratios["a / b"].append((kind, statistics.median(by_round)))
        row.append(show(by_round, ".3f"))
        floor = operations(cell, kind, size, distinct) / rate
        row.append(f"{floor / statistics.median(seconds['a']):.0%}")
        for who in "bc":
            beyond = (
                memory_in_fresh_process(who, cell, kind, name, arguments.precision, device)
                if arguments.memory
                else math.nan
            )
            row.append(f"{beyond:,.0f}")
        print("| " + " | ".join(row) + " |", flush=True)
    print()
    for what, found in ratios.items():
        label = what if what == "a / b" else f"{what} / a"
        means = [f"all {geometric_mean([r for _, r in found]):.3f}"] if found else []
        for kind in arguments.features:
            ratios_of_kind = [ratio for k, ratio in found if k == kind]
            if ratios_of_kind:
                means.append(f"{kind} {geometric_mean(ratios_of_kind):.3f}")
        print(f"geometric mean of {label}: {', '.join(means)}")


def main() -> None:
    """Measure and print."""
    # Not prepare_process: its fixed order of sums in MKL would slow the other loop.
    keep_freed_memory()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", nargs="+", default=["lyrics", "letters"])
    parser.add_argument("--cells", nargs="+", default=["rnn", "lstm", "gru"])
    parser.add_argument("--features", nargs="+", default=["embed", "onehot"])
    parser.add_argument("--precision", default="32-true")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a block, at least a step")
    parser.add_argument("--wide", action="store_true", help="(c) also with E = V")
    parser.add_argument("--no-memory", dest="memory", action="store_false")
    parser.add_argument("--cpu", action="store_true", help="even if there is a GPU")
    parser.add_argument("--memory-of", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    device = torch.device("cuda" if torch.cuda.is_available() and not arguments.cpu else "cpu")
    if arguments.memory_of:
        who, cell, kind, name = arguments.memory_of
        size = size_of(name, device)
        print(memory_beyond_mb(who, cell, kind, size, arguments.precision, device))
        return
    what = torch.cuda.get_device_name() if device.type == "cuda" else processor()
    print(f"{date.today()}, {what}, torch {torch.__version__}, {torch.get_num_threads()} threads")
    for name in arguments.sizes:
        measure(name, device, arguments)


def processor() -> str:
    """Return the CPU's name, if the system tells it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
