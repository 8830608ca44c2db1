"""Train small networks under the Trainer: what it leaves behind, repeats and waits for.

    python -m experiments.gpu.training [--cpu]

- The global flags of PyTorch after a whole run are those before it.
- The weights after some steps under the Trainer, where a GPU's step is captured, are those after
  the same steps in a plain loop.
- The weights of two trainings with one seed are the same to the last bit, or differ by how much.
- The lines of code that make the host wait for a GPU within a hundred steps, as far as PyTorch
  reports them (`torch.cuda.set_sync_debug_mode`).
"""

from __future__ import annotations

import collections
import itertools
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import hydra
import torch
from torch import Tensor

from experiments.gpu.agreement import error
from experiments.gpu.rows import arguments, name_device, row
from experiments.speed.plain import plain_step
from experiments.speed.sizes import (
    Data,
    Size,
    build_network,
    without_model_checkpoint,
    zipf_batches,
)
from rnnlm.config import checked_config, register_schemas
from rnnlm.data.batching import Batch, Batches
from rnnlm.data.preparation import CorpusIdentity, PreparedCorpus
from rnnlm.model.language_model import LanguageModel
from rnnlm.runs.run import carry_out_run, load_corpus
from rnnlm.runs.spec import RunSpec
from rnnlm.sweep.launchers.options import register_launcher_options
from rnnlm.training.averaging import AverageWeights
from rnnlm.training.module import LanguageModelModule
from rnnlm.training.optimizer import Averaging, OptimizerConfig, OptimizerName
from rnnlm.training.trainer import EarlyStoppingConfig, TrainerConfig, build_trainer

CONF = Path(__file__).parents[2] / "conf"
# The largest relative difference from the weights of a plain loop, by precision. Adam enlarges
# roundings of gradients that are almost 0.
MOST_APART = {"64-true": 1e-9, "32-true": 1e-2}
# Waits are counted from the step at which everything has been loaded, allocated and captured.
FIRST_COUNTED, COUNTED = 50, 100
OPTIMIZERS = {
    "adam": OptimizerConfig(),
    "adam, ema": OptimizerConfig(averaging=Averaging.ema),
    "adam, equal": OptimizerConfig(averaging=Averaging.equal, averaging_start=0),
    "sgd": OptimizerConfig(name=OptimizerName.sgd, lr=0.1),
}


class Steps(Batches):
    """The first steps of an epoch, from batches that come again.

    Args:
        at: functions to call before the steps with these numbers.
    """

    def __init__(
        self,
        batches: list[tuple[Tensor, Tensor]],
        count: int,
        at: dict[int, Callable[[], None]] | None = None,
    ) -> None:
        super().__init__()
        self.batches, self.count, self.at = batches, count, at or {}
        self.num_tokens = count * batches[0][0].numel()

    def to(self, device: torch.device) -> Steps:
        return self

    def __len__(self) -> int:
        return self.count

    def _epoch(self) -> Iterator[Batch]:
        for number, (inputs_TB, targets_TB) in enumerate(
            itertools.islice(itertools.cycle(self.batches), self.count)
        ):
            self.at.get(number, lambda: None)()
            yield Batch(inputs_TB, targets_TB, targets_TB.numel(), starts=number == 0)


def under_the_trainer(
    network: LanguageModel,
    batches: Batches,
    device: torch.device,
    precision: str = "32-true",
    optimizer: OptimizerConfig | None = None,
) -> None:
    """Train a network on the batches as a run does, but write no checkpoint."""
    optimizer = optimizer or OptimizerConfig()
    module = LanguageModelModule(network, optimizer)
    with tempfile.TemporaryDirectory() as folder:
        trainer = build_trainer(
            TrainerConfig(accelerator=device.type, precision=precision, max_epochs=1),
            EarlyStoppingConfig(),
            Path(folder),
            [],
            [AverageWeights(optimizer, module)],
        )
        without_model_checkpoint(trainer).fit(module, Data(batches))


def in_a_plain_loop(network: LanguageModel, batches: Batches) -> None:
    """Train a network on the batches by a loop of PyTorch's, one operation after the other."""
    pairs = ((batch.inputs_TB, batch.targets_TB) for batch in batches)
    step = plain_step(network, pairs, OptimizerConfig())
    for _ in range(len(batches)):
        step()


def weights(network: LanguageModel) -> Tensor:
    """Return all weights as one vector, in float64 on the CPU."""
    vectors = [parameter.detach().flatten() for parameter in network.parameters()]
    return torch.cat(vectors).double().cpu()


def trained_weights(
    cell: str, kind: str, size: Size, device: torch.device, precision: str, steps: int
) -> Tensor:
    """Return the weights after so many steps under the Trainer, from the same start each time."""
    network = build_network(cell, kind, size)
    batches = Steps(zipf_batches(size, device, 8), steps)
    under_the_trainer(network, batches, device, precision)
    return weights(network)


def global_flags() -> dict[str, object]:
    """Return PyTorch's global settings that change numbers, by what they are called."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    return {
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
        "cuda.matmul.allow_tf32": matmul.allow_tf32,
        "cuda.matmul bf16 sums": matmul.allow_bf16_reduced_precision_reduction,
        "cuda.matmul fp16 sums": matmul.allow_fp16_reduced_precision_reduction,
        "cudnn.allow_tf32": cudnn.allow_tf32,
        "cudnn.rnn.fp32_precision": cudnn.rnn.fp32_precision,  # type: ignore[attr-defined]
        "cudnn.conv.fp32_precision": cudnn.conv.fp32_precision,  # type: ignore[attr-defined]
        "cudnn.enabled": cudnn.enabled,
        "cudnn.benchmark": cudnn.benchmark,
        "cudnn.deterministic": cudnn.deterministic,
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "default dtype": torch.get_default_dtype(),
        "gradients": torch.is_grad_enabled(),
        "autocast": torch.is_autocast_enabled("cuda"),
    }


def specified(*overrides: str) -> tuple[RunSpec, PreparedCorpus]:
    """Return the run that a command line describes, with its folder made, and its corpus."""
    register_schemas()
    register_launcher_options()
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        config = checked_config(hydra.compose("config", list(overrides)))
    corpus = load_corpus(config)
    spec = RunSpec.of(config, CorpusIdentity.of(corpus), [])
    spec.folder.mkdir(parents=True)
    return spec, corpus


def flags_changed_by_run(*overrides: str) -> list[str]:
    """Carry out a small run in this process, and return the global flags that it leaves changed."""
    with tempfile.TemporaryDirectory() as folder:
        spec, corpus = specified("logger=csv", f"output_dir={folder}", *overrides)
        before = global_flags()
        record = carry_out_run(spec, corpus)
        assert record.error is None, record.error
        after = global_flags()
    return [
        f"{name} {before[name]} → {after[name]}" for name in after if before[name] != after[name]
    ]


def waits(
    size: Size, device: torch.device, precision: str, optimizer: OptimizerConfig
) -> collections.Counter[str]:
    """Count, by line of code, how often the host waits for the GPU in `COUNTED` steps."""
    seen: collections.Counter[str] = collections.Counter()

    def note(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if "called a synchronizing" in str(message):
            seen["/".join(Path(filename).parts[-2:]) + f":{lineno}"] += 1

    at: dict[int, Callable[[], Any]] = {
        FIRST_COUNTED: lambda: torch.cuda.set_sync_debug_mode("warn"),
        FIRST_COUNTED + COUNTED: lambda: torch.cuda.set_sync_debug_mode("default"),
    }
    batches = Steps(
        zipf_batches(size, device, 8),
        FIRST_COUNTED + COUNTED + 1,
        at if device.type == "cuda" else None,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = note
        network = build_network("lstm", "embed", size)
        under_the_trainer(network, batches, device, precision, optimizer)
    return seen


def main() -> None:
    """Train and print the rows of the four tables."""
    _, device = arguments(__doc__)
    name_device(device)
    on_cpu = device.type == "cpu"
    small = Size(28, 16, 32, 1, 10, 8) if on_cpu else Size(28, 256, 256, 1, 35, 32)
    large = Size(300, 16, 32, 2, 10, 8) if on_cpu else Size(2581, 512, 512, 2, 20, 128)
    steps = 20 if on_cpu else 100

    for options in ([], ["trainer.precision=bf16-mixed"]):
        run = ["model.hidden_size=32", "trainer.max_epochs=1", f"trainer.accelerator={device.type}"]
        changed = flags_changed_by_run(*run, *options)
        row(
            "flags",
            options=" ".join(options) or "the defaults",
            changed=", ".join(changed) or "none",
            holds=not changed,
        )

    for precision, bound in MOST_APART.items():
        for cell in ("rnn", "lstm", "gru"):
            under_it = trained_weights(cell, "embed", small, device, precision, steps)
            plain = build_network(cell, "embed", small).to(device)
            plain = plain.double() if precision == "64-true" else plain
            in_a_plain_loop(plain, Steps(zipf_batches(small, device, 8), steps))
            apart = error(under_it, weights(plain))
            row(
                "plain loop",
                cell=cell,
                precision=precision,
                steps=steps,
                apart=f"{apart:.1e}",
                holds=apart <= bound,
            )

    for (name, size), precision in itertools.product(
        {"small": small, "large": large}.items(), ("32-true", "bf16-mixed")
    ):
        for cell, kind in (("rnn", "embed"), ("lstm", "embed"), ("gru", "onehot")):
            first, second = (
                trained_weights(cell, kind, size, device, precision, steps) for _ in range(2)
            )
            row(
                "repeatability",
                size=name,
                cell=cell,
                features=kind,
                precision=precision,
                steps=steps,
                alike="to the last bit" if torch.equal(first, second) else "not to the last bit",
                apart=f"{error(second, first):.1e}",
            )

    for name, optimizer in OPTIMIZERS.items():
        for precision in ("32-true", "bf16-mixed") + (() if on_cpu else ("16-mixed",)):
            seen = waits(small, device, precision, optimizer)
            row(
                "waits",
                optimizer=name,
                precision=precision,
                steps=COUNTED,
                waits=sum(seen.values()),
                where=", ".join(f"{place} ({count})" for place, count in seen.most_common(4)),
                # One look for a divergence in a hundred steps; a gradient scaler's at each.
                holds=None if on_cpu or precision == "16-mixed" else sum(seen.values()) <= 2,
            )


if __name__ == "__main__":
    main()
