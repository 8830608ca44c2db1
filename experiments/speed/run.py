"""Speed of training, compared with the loop that people write and with the hardware.

    python experiments/speed/run.py [--sizes lyrics letters words] [--precision bf16-mixed] [--help]

One process times, in turn and block by block,
(a) the cell under the Trainer, as `python run.py` trains it,
(b) the same network in a plain loop,
(c) the conventional loop (conventional.py), in the same precision.
With `--wide`, (c) runs also with an embedding as wide as the vocabulary, and with a mixed precision
also in float32. On a GPU (c) is in PyTorch's defaults, which round cuDNN's products to TF32, and
also in IEEE, without that. Ratios are taken round by round. The table shows medians, and ranges in
brackets.

The floor is the time that the products of the exact computation would take at the rate of the
fastest large matrix product measured here. One-hot input has no product; an embedding has one for
each distinct token of a batch. Memory is the peak of training (b) or (c), less what was held before
the network was built, and less parameters, gradients and Adam's two moments; on a CPU, where it is
that of the process, in a fresh one.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import itertools
import json
import logging
import math
import platform
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import torch
from contest import (
    IEEE,
    PYTORCH_DEFAULT,
    Arithmetic,
    autocast,
    bare_step,
    contest,
    trainer_config,
)
from conventional import Conventional, conventional_step
from sizes import Size, build_network, size_of, zipf_batches

from rnnlm.hardware import peak_memory_mb, reset_peak_memory
from rnnlm.model.cells import cells
from rnnlm.model.language_model import num_parameters
from rnnlm.model.product import Product
from rnnlm.runtime import keep_freed_memory

# By the kind of device: rounds, and seconds of a block.
ROUNDS, SECONDS = {"cpu": 7, "cuda": 5}, {"cpu": 1.0, "cuda": 0.15}
# What each loop computes by.
ON_A_GPU = (
    "c is in PyTorch's defaults: float32 products by {0.matmul!r}, cuDNN's by {0.rnn!r}; "
    "c IEEE rounds no product to TF32; a and b have float32_matmul_precision={1}"
)


def product_rates(precision: str, device: torch.device) -> dict[str, float]:
    """Return the operations per second of the fastest large product, by what it is rounded to."""
    if device.type == "cpu":
        return {precision: product_rate_of_cpu(precision)}
    if precision != "32-true":
        return {precision: product_rate_of_gpu(torch.bfloat16)}
    rates = {}
    for name, arithmetic in (("IEEE", IEEE), ("TF32", Arithmetic("high", "tf32"))):
        with arithmetic.in_force():
            rates[name] = product_rate_of_gpu(torch.float32)
    return rates


def product_rate_of_gpu(dtype: torch.dtype, n: int = 8192, count: int = 4) -> float:
    """Time products of n × n matrices by the GPU's own clock, without waiting for each."""
    x, weight = (torch.randn(n, n, device="cuda", dtype=dtype) for _ in range(2))
    out = x @ weight
    best = 0.0
    for _ in range(3):
        started, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        started.record()
        for _ in range(count):
            torch.mm(x, weight, out=out)
        ended.record()
        ended.synchronize()
        best = max(best, 2 * n**3 * count / (started.elapsed_time(ended) / 1e3))
    return best


def product_rate_of_cpu(precision: str) -> float:
    """Time large products, by either engine (`rnnlm/model/product.py`)."""
    dtype = torch.float32 if precision == "32-true" else torch.bfloat16
    best = 0.0
    for n in (1024, 2048):
        x, weight = (torch.randn(n, n).to(dtype) for _ in range(2))
        for product in (Product(weight, n, 99, dtype), lambda x, weight=weight: x @ weight):
            for _ in range(6):
                started = time.perf_counter()
                product(x)
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
    """Return the peak memory of training in this process, less what must be held."""
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


def memory(
    who: str, cell: str, kind: str, name: str, precision: str, device: torch.device
) -> float:
    """Return the result of `memory_beyond_mb`, on a CPU of a process of its own."""
    if device.type == "cuda":  # PyTorch counts what it hands out there
        gc.collect()
        return memory_beyond_mb(who, cell, kind, size_of(name, device), precision, device)
    command = [sys.executable, __file__, "--memory-of", who, cell, kind, name]
    command += ["--precision", precision, "--cpu"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def show(values: list[float], form: str = ".2f") -> str:
    """Format the median and the range."""
    return f"{statistics.median(values):{form}} [{min(values):{form}}, {max(values):{form}}]"


def geometric_mean(values: list[float]) -> float:
    """Return the geometric mean, which suits ratios."""
    return math.exp(statistics.fmean(map(math.log, values)))


def ratio(seconds: dict[str, list[float]], one: str, other: str) -> list[float]:
    """Return the ratios of the times of two contestants, round by round."""
    return [x / y for x, y in zip(seconds[one], seconds[other], strict=True)]


def columns(seconds: dict[str, list[float]], size: Size) -> dict[str, str]:
    """Return the columns of a contest, by what stands above them."""
    shown = {
        f"{who} tokens/s": f"{size.tokens / statistics.median(seconds[who]):,.0f}" for who in "abc"
    }
    shown |= {f"{who} / a": show(ratio(seconds, who, "a")) for who in seconds if who[0] == "c"}
    return shown | {"a / b": show(ratio(seconds, "a", "b"), ".3f")}


def rows(
    name: str, rate: float, distinct: float, device: torch.device, arguments: argparse.Namespace
) -> Iterator[dict[str, str]]:
    """Time all cells of a size, and yield the rows of its table; the last have the means."""
    size = size_of(name, device)
    found: dict[str, dict[str, list[float]]] = {kind: {} for kind in arguments.features}
    for cell, kind in itertools.product(arguments.cells, arguments.features):
        gc.collect()  # a Trainer and its module hold each other
        seconds = contest(cell, kind, size, device, arguments)
        row = {"cell": cell, "features": kind, **columns(seconds, size)}
        if arguments.wide:  # one-hot vectors are as wide as the vocabulary anyway
            row.setdefault("c wide / a", "")
        floor = operations(cell, kind, size, distinct) / rate
        row["floor / a"] = f"{floor / statistics.median(seconds['a']):.0%}"
        if arguments.memory:
            for who in "bc":
                beyond = memory(who, cell, kind, name, arguments.precision, device)
                row[f"{who} MB"] = f"{beyond:,.0f}"
        yield row
        for who in seconds:
            pair = ("a", "b") if who in "ab" else (who, "a")
            if who != "a":
                median = statistics.median(ratio(seconds, *pair))
                found[kind].setdefault(" / ".join(pair), []).append(median)
    everything = {
        label: [each for kind in found for each in found[kind].get(label, [])]
        for label in {label: None for kind in found for label in found[kind]}
    }
    for kind, ratios in {"all": everything, **found}.items():
        means = {label: f"{geometric_mean(each):.3f}" for label, each in ratios.items()}
        yield {"cell": "geometric mean", "features": kind, **means}


def measure(name: str, device: torch.device, arguments: argparse.Namespace) -> None:
    """Time all cells of a size, and print a table in Markdown, or a row a line in JSON."""
    size = size_of(name, device)
    rates = product_rates(arguments.precision, device)
    matmul = trainer_config(device, arguments).float32_matmul_precision
    computed_by = "IEEE" if matmul == "highest" else "TF32"
    rate = rates.get(computed_by) or rates[arguments.precision]
    batches = zipf_batches(size, device)
    distinct = statistics.fmean(len(inputs_TB.unique()) for inputs_TB, _ in batches)
    found = rows(name, rate, distinct, device, arguments)
    if arguments.json:
        for row in found:
            print(json.dumps({"size": name, "precision": arguments.precision, **row}), flush=True)
        return
    shown = ", ".join(f"{each / 1e9:,.0f} GFLOP/s ({by})" for by, each in rates.items())
    print(f"\n### {name}, {arguments.precision}\n")
    print(
        f"V {size.V:,}, E {size.E}, H {size.H}, {size.L} layers, T {size.T}, B {size.B}; "
        f"{distinct:.0f} distinct tokens in a batch; products at {shown}\n"
    )
    if device.type == "cuda":
        print(ON_A_GPU.format(PYTORCH_DEFAULT, matmul) + "\n")
    header: list[str] = []
    for row in found:
        if not header:
            header = list(row)
            print("| " + " | ".join(header) + " |")
            print("|" + " :-- |" * 2 + " --: |" * (len(header) - 2))
        print("| " + " | ".join(row.get(column, "") for column in header) + " |", flush=True)


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
    parser.add_argument(
        "--trainer", nargs="+", default=[], metavar="OPTION=VALUE", help="for the Trainer of (a)"
    )
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="of a block, at least a step")
    parser.add_argument("--wide", action="store_true", help="(c) also with E = V")
    parser.add_argument("--no-memory", dest="memory", action="store_false")
    parser.add_argument("--json", action="store_true", help="rows in JSON, one a line")
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
    arguments.rounds = arguments.rounds or ROUNDS[device.type]
    arguments.seconds = arguments.seconds or SECONDS[device.type]
    what = torch.cuda.get_device_name() if device.type == "cuda" else processor()
    if arguments.json:
        print(json.dumps({"device": what, "torch": torch.__version__}), flush=True)
    else:
        print(
            f"{date.today()}, {what}, torch {torch.__version__}, {torch.get_num_threads()} threads"
        )
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
