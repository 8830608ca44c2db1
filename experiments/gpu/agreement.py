"""Compare every network, in every precision, with the same in float64 on a CPU.

    python -m experiments.gpu.agreement [--cpu]

For each cell, features, vocabulary size and precision: the relative error of the loss, of the
hidden states of all steps, and of the gradient of every parameter. A tenth of the targets is
ignored.

Shapes: T time, B batch, V vocabulary.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from experiments.gpu.rows import arguments, name_device, row
from experiments.speed.sizes import Size, build_network
from rnnlm.data.batching import IGNORED
from rnnlm.model.cells import cells
from rnnlm.model.features import features
from rnnlm.model.language_model import LanguageModel

# The largest relative error that is accepted, by `trainer.precision`.
BOUNDS = {"64-true": 1e-9, "32-true": 1e-4, "bf16-mixed": 6e-2, "16-mixed": 6e-2}
# By which 16-mixed multiplies the loss, as Lightning's gradient scaler does.
SCALE = 2.0**12
# A table that is small, one beyond a layer's size, and one for which the loss comes in chunks.
VOCABULARIES = (28, 300, 2581)


@dataclass(frozen=True)
class Outcome:
    """A loss in nats, the hidden states, and the gradients by parameter, in float64 on the CPU."""

    nats: Tensor
    hidden_TBH: Tensor
    gradients: dict[str, Tensor]


@dataclass(frozen=True)
class Agreement:
    """Relative errors against float64, and the parameter whose gradient is the worst."""

    loss: float
    hidden: float
    gradient: float
    parameter: str

    @property
    def worst(self) -> float:
        """The largest; NaN if any of them is."""
        return float(torch.tensor([self.loss, self.hidden, self.gradient]).max())


def outcome(network: LanguageModel, tokens: tuple[Tensor, Tensor], precision: str) -> Outcome:
    """Do a step's forward and backward pass, as the Trainer would in this precision."""
    device = network.output.weight.device
    inputs_TB, targets_TB = (each.to(device) for each in tokens)
    dtype = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}.get(precision)
    scale = SCALE if dtype is torch.float16 else 1.0
    with torch.autocast(device.type, dtype, enabled=dtype is not None):
        hidden_TBH, _ = network.hidden(inputs_TB)
        nats = network.nats_of(hidden_TBH, targets_TB)
    (nats / inputs_TB.numel() * scale).backward()
    gradients = {
        name: parameter.grad.double().cpu() / scale
        for name, parameter in network.named_parameters()
        if parameter.grad is not None
    }
    return Outcome(nats.detach().double().cpu(), hidden_TBH.detach().double().cpu(), gradients)


def error(ours: Tensor, reference: Tensor) -> float:
    """Return the norm of the difference, relative to the norm of the reference."""
    return float((ours - reference).norm() / reference.norm())


def agreement(ours: Outcome, reference: Outcome) -> Agreement:
    """Compare two outcomes; every parameter must have a gradient in both."""
    assert ours.gradients.keys() == reference.gradients.keys()
    errors = {name: error(g, reference.gradients[name]) for name, g in ours.gradients.items()}
    # A NaN, which compares with nothing, is the worst.
    worst = max(errors, key=lambda name: (errors[name] != errors[name], errors[name]))
    return Agreement(
        error(ours.nats, reference.nats),
        error(ours.hidden_TBH, reference.hidden_TBH),
        errors[worst],
        worst,
    )


def compare(
    cell: str, kind: str, size: Size, device: torch.device
) -> Iterator[tuple[str, Agreement]]:
    """Yield the agreement in each precision that the device has."""
    generator = torch.Generator().manual_seed(size.V)
    inputs_TB, targets_TB = (
        torch.randint(size.V, (size.T, size.B), generator=generator) for _ in range(2)
    )
    targets_TB[torch.rand(size.T, size.B, generator=generator) < 0.1] = IGNORED
    tokens = inputs_TB, targets_TB
    reference = outcome(build_network(cell, kind, size).double(), tokens, "64-true")
    for precision in BOUNDS:
        if precision == "16-mixed" and device.type == "cpu":
            continue
        network = build_network(cell, kind, size).to(device)
        if precision == "64-true":
            network = network.double()
        yield precision, agreement(outcome(network, tokens, precision), reference)


def main() -> None:
    """Compare all, and print a row for each."""
    _, device = arguments(__doc__)
    name_device(device)
    # Products of float32 numbers are not rounded: the default of trainer.float32_matmul_precision.
    torch.set_float32_matmul_precision("highest")
    on_cpu = device.type == "cpu"
    for cell, kind, V in itertools.product(cells(), features(), VOCABULARIES):
        size = Size(V, 16, 32, 2, 10, 8) if on_cpu else Size(V, 96, 256, 2, 35, 32)
        for precision, found in compare(cell, kind, size, device):
            row(
                "agreement",
                cell=cell,
                features=kind,
                V=V,
                precision=precision,
                loss=f"{found.loss:.1e}",
                hidden=f"{found.hidden:.1e}",
                gradient=f"{found.gradient:.1e}",
                of=found.parameter,
                holds=found.worst <= BOUNDS[precision],
            )


if __name__ == "__main__":
    main()
