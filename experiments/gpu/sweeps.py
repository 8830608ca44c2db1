"""Time the six-cell grid by each way to launch it, and the conventional loop of the same cells.

    python -m experiments.gpu.sweeps letters|lyrics|letters_otherwise [--cpu]

A sweep's time is that of the whole command, from its start to its table: the starts of processes,
validation, checkpoints and the final measurement of all splits are in it. The conventional loops
train one after the other, for the same number of steps. Their time is that of the steps alone: each
loop is timed for a second, and the time of a step is multiplied. They are in PyTorch's
defaults. In both, an embedding has the default size.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from experiments.gpu.rows import arguments, name_device, row
from experiments.gpu.texts import LETTERS, LYRICS, text_of
from experiments.speed.conventional import Conventional, conventional_step
from experiments.speed.sizes import Size, zipf_batches
from rnnlm.data.texts.splitting import SPLITS
from rnnlm.results.record import COMPLETED, find_records

ROOT = Path(__file__).parents[2]
# The ways to launch a sweep, by the options that each adds to the command line.
AT_ONCE_WITH_MPS, AT_ONCE, IN_TURN = "at once, with MPS", "at once, without MPS", "in turn"
ROUNDED = "at once, with MPS, TensorFloat32"
WAYS = {
    AT_ONCE_WITH_MPS: ["hydra/launcher=parallel", "runs_per_gpu=6"],
    ROUNDED: [
        "hydra/launcher=parallel",
        "runs_per_gpu=6",
        "trainer.float32_matmul_precision=high",
    ],
    AT_ONCE: ["hydra/launcher=parallel", "runs_per_gpu=6"],
    IN_TURN: ["hydra/launcher=serial"],
}
# The ways that are tried with each grid. The last two take long, and are tried last.
WAYS_OF = {
    "letters": (AT_ONCE_WITH_MPS,),
    "lyrics": (AT_ONCE_WITH_MPS, ROUNDED),
    "letters_otherwise": (AT_ONCE, IN_TURN),
}
# Without a GPU there is no MPS either.
MINIATURE = (AT_ONCE_WITH_MPS, IN_TURN)
# The launcher starts NVIDIA's Multi-Process Service by this program, where it is and works.
MPS_CONTROL = "nvidia-cuda-mps-control"
# The largest share of the loops' time that the sweep with MPS may take, and the largest difference
# between the losses of a run that is launched in two ways, in nats per token.
BOUNDS, MOST_APART = {"letters": 0.15, "lyrics": 0.25}, 1e-3
FEATURES = ("embed", "onehot")
SECONDS_OF_A_LOOP = 1.0


@dataclass(frozen=True)
class Grid:
    """A text, the options of the runs on it, and the same in numbers."""

    alphabet: str
    length: int
    steps: int
    size: Size
    data: list[str]
    cells: tuple[str, ...] = ("rnn", "lstm", "gru")

    @property
    def options(self) -> list[str]:
        """The options of the command line but for the text and the launcher."""
        return [
            f"model={','.join(self.cells)}",
            f"features={','.join(FEATURES)}",
            *self.data,
            f"data.batch_size={self.size.B}",
            f"data.seq_len={self.size.T}",
            f"model.hidden_size={self.size.H}",
            f"model.num_layers={self.size.L}",
            "trainer.max_epochs=1000000",
            f"trainer.max_steps={self.steps}",
        ]


def grid_of(name: str, in_miniature: bool) -> Grid:
    """Return a grid: letters has long epochs, lyrics the short ones of a small text."""
    letters = ["data=time_machine", "data.normalize=letters", "optimizer.lr=1e-3"]
    if in_miniature:
        return Grid(LETTERS, 5_000, 10, Size(28, 128, 16, 1, 16, 8), letters, ("rnn",))
    if name.startswith("letters"):
        return Grid(LETTERS, 1_400_000, 20_000, Size(28, 128, 256, 1, 35, 32), letters)
    lyrics = ["data=jaychou", "data.min_count=1", "data.batching=windows", "optimizer.lr=1e-3"]
    return Grid(LYRICS, 63_282, 3_000, Size(2581, 128, 512, 2, 20, 128), lyrics)


def loop_seconds(cell: str, kind: str, grid: Grid, device: torch.device) -> float:
    """Return the seconds that the conventional loop takes for the steps of a run."""
    torch.manual_seed(0)
    size = grid.size
    network = Conventional(cell, kind, size.V, size.E, size.H, size.L).to(device)
    step = conventional_step(network, itertools.cycle(zipf_batches(size, device)))

    def seconds_of(steps: int) -> float:
        started = time.perf_counter()
        for _ in range(steps):
            step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - started

    few = min(20, grid.steps)
    seconds_of(few)  # memory is allocated, kernels are loaded
    steps = min(grid.steps, math.ceil(few * SECONDS_OF_A_LOOP / seconds_of(few)))
    return seconds_of(steps) / steps * grid.steps


def losses(folder: Path) -> dict[str, list[float]]:
    """Return the losses of each completed run, by what distinguishes it."""
    return {
        f"{record.model}-{record.features}": [
            float((getattr(record, split) or {})["loss"]) for split in SPLITS
        ]
        for _, record in find_records([folder])[0]
        if record.status == COMPLETED
    }


def without_mps(folder: Path) -> dict[str, str]:
    """Return the environment of a sweep that finds no MPS: its program is one that refuses."""
    folder.mkdir()
    program = folder / MPS_CONTROL
    program.write_text("#!/bin/sh\necho 'not for this sweep' >&2\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}


def sweep(
    way: str, grid: Grid, text: Path, folder: Path, device: torch.device
) -> tuple[float, str]:
    """Run the grid; return the seconds of the whole command, and what it has said of MPS."""
    command = [sys.executable, str(ROOT / "run.py"), "-m", *grid.options, *WAYS[way]]
    accelerator = "cpu" if device.type == "cpu" else "gpu"
    command += [f"data.source={text}", f"trainer.accelerator={accelerator}"]
    environment = {**os.environ, "RNNLM_CACHE_DIR": str(text.parent / "cache")}
    if way == AT_ONCE:
        environment |= without_mps(text.parent / "without_mps")
    started = time.perf_counter()
    done = subprocess.run(
        [*command, f"output_dir={folder}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env=environment,
    )
    seconds = time.perf_counter() - started
    sys.stderr.write(done.stdout)
    done.check_returncode()
    said = [line.strip() for line in done.stdout.splitlines() if "MPS" in line]
    return seconds, " ".join(said).replace("|", "/")


def time_loops(name: str, grid: Grid, device: torch.device) -> float:
    """Time the loops in a process of their own, which leaves the GPU to the sweeps after it.

    This process must not use the GPU: it is none of those that MPS serves.
    """
    command = [sys.executable, "-m", "experiments.gpu.sweeps", f"loops:{name}"]
    command += ["--cpu"] if device.type == "cpu" else []
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
    named, *lines = found.splitlines()
    print(named, flush=True)
    return sum(float(json.loads(line)["seconds"]) for line in lines)


def main() -> None:
    """Time the loops, then the sweeps, and print a row for each."""
    found, device = arguments(__doc__, "name")
    name, in_miniature = found.name, device.type == "cpu"
    grid = grid_of(name.removeprefix("loops:"), in_miniature)
    if name.startswith("loops:"):
        name_device(device)
        for cell, kind in itertools.product(grid.cells, FEATURES):
            print(json.dumps({"seconds": loop_seconds(cell, kind, grid, device)}), flush=True)
        return
    loops = time_loops(name, grid, device)
    row(name, way="six conventional loops in turn", steps=grid.steps, seconds=f"{loops:.1f}")
    first: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        text = Path(temporary, "text.txt")
        text.write_text(text_of(grid.alphabet, grid.length), encoding="utf-8")
        for number, way in enumerate(MINIATURE if in_miniature else WAYS_OF[name]):
            folder = Path(temporary, str(number))
            try:
                seconds, said = sweep(way, grid, text, folder, device)
            except subprocess.CalledProcessError as failed:
                row(name, way=way, seconds=f"exit status {failed.returncode}", holds=False)
                continue
            measured = losses(folder)
            first = first or measured
            apart = max(
                (
                    abs(x - y)
                    for run in measured
                    for x, y in zip(measured[run], first[run], strict=True)
                ),
                default=math.nan,
            )
            is_fast = seconds <= BOUNDS.get(name, math.inf) * loops
            is_right = len(measured) == len(grid.cells) * len(FEATURES) and (
                apart <= MOST_APART or way == ROUNDED
            )
            row(
                name,
                way=way,
                steps=grid.steps,
                seconds=f"{seconds:.1f}",
                of_loops=f"{seconds / loops:.2f}",
                completed=len(measured),
                losses_apart=f"{apart:.1e}",
                said=said,
                holds=is_right and (is_fast or in_miniature),
            )


if __name__ == "__main__":
    main()
