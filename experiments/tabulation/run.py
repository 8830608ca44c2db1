"""Measure how long the tables of many runs take, or the report of a sweep.

    python experiments/tabulation/run.py
    python experiments/tabulation/run.py --report outputs

The output is a table in Markdown.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rnnlm.results.record import COMPLETED, Record

VIEWS = {
    "a row a run": [],
    "a row a run, CSV": ["--format", "csv"],
    "means over seeds": ["--seeds"],
    "grids": ["--grid"],
    "differences": ["--compare"],
}
MODELS, FEATURES, SEEDS = ("rnn", "lstm", "gru"), ("embed", "onehot"), 5
# The other files of a run's folder: `rnnlm results` searches the whole folder.
OTHER_FILES = (
    *("run.log", "scalars.csv", "checkpoints/best.ckpt", "checkpoints/last.ckpt"),
    *(".hydra/config.yaml", ".hydra/hydra.yaml", ".hydra/overrides.yaml"),
)


def main() -> None:
    """Print the table of seconds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--report", type=Path, help="a folder of runs to report on instead")
    options = parser.parse_args()
    print("| what | s |")
    print("| :-- | --: |")
    if options.report:
        page = Path(tempfile.mkdtemp()) / "report.html"
        print_row("rnnlm report", ["report", str(options.report), "-o", str(page)])
        return
    with tempfile.TemporaryDirectory() as folder:
        write_records(Path(folder), options.records)
        for name, arguments in VIEWS.items():
            print_row(f"rnnlm results, {name}", ["results", folder, *arguments])


def print_row(name: str, arguments: list[str]) -> None:
    """Run the command as a user would, and print how long it took."""
    started = time.perf_counter()
    command = [str(Path(sys.executable).parent / "rnnlm"), *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    print(f"| {name} | {time.perf_counter() - started:.2f} |", flush=True)


def write_records(folder: Path, number: int) -> None:
    """Write records of a sweep over learning rates, each in a folder with a run's files."""
    numbers = random.Random(1)
    for index in range(number):
        index, seed = divmod(index, SEEDS)
        index, kind = divmod(index, len(FEATURES))
        index, model = divmod(index, len(MODELS))
        cell, lr = f"{MODELS[model]}-{FEATURES[kind]}", (index + 1) / 10_000
        place = folder / f"time_machine,optimizer.lr={lr}" / cell / f"seed{seed}"
        for name in OTHER_FILES:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).touch()
        Record(
            COMPLETED,
            *("time_machine", "sample", "a" * 64, MODELS[model], FEATURES[kind], seed),
            f"{cell}{lr}{seed}",
            options={"optimizer.lr": lr, **{f"data.option_{n}": n for n in range(45)}},
            held_out_sha256="b" * 64,
            vocab_size=70,
            train_seconds=numbers.uniform(10, 20),
            **{split: metrics_of_a_split(numbers) for split in ("train", "validation", "test")},
        ).write(place)


def metrics_of_a_split(numbers: random.Random) -> dict[str, float]:
    """Random metrics of one split."""
    bpc = numbers.uniform(2, 3)
    return {
        "loss": bpc * 0.7,
        "ppl": 2**bpc,
        "bpc": bpc,
        "num_tokens": 6_031,
        "num_chars": 6_031,
    }


if __name__ == "__main__":
    main()
