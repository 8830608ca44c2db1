"""A sweep without training: records and scalars with curves like those of networks."""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Sequence
from pathlib import Path

from rnnlm.files.run_files import SCALARS
from rnnlm.results.record import FAILED, Record
from tests.support.records import NO_SPLITS, record

Runs = list[tuple[Path, Record]]
MODELS, FEATURES = ("rnn", "lstm", "gru"), ("embed", "onehot")
# The parameters of a cell, the seconds of an epoch, and the last loss in nats per token.
CELLS = {
    "rnn-embed": (125_766, 0.5, 1.62),
    "lstm-embed": (422_214, 0.88, 1.57),
    "gru-embed": (323_398, 1.3, 1.55),
    "rnn-onehot": (101_958, 0.48, 1.93),
    "lstm-onehot": (353_862, 0.82, 1.92),
    "gru-onehot": (269_894, 1.28, 1.78),
}
STEPS, TOKENS = 24, 48_255
COSTS = ("cost/tokens", "cost/seconds")


def split(loss: float) -> dict[str, float]:
    """The metrics of a split, with 2 tokens to 3 characters."""
    bpc = loss / math.log(2) * 2 / 3
    return {"loss": loss, "ppl": math.exp(loss), "bpc": bpc, "num_tokens": 200, "num_chars": 300}


def history(cell: str, seed: int, epochs: int, first: float = 2.9) -> list[dict[str, float]]:
    """The rows that a run logs, the last one with the metrics of its test."""
    numbers = random.Random(f"{cell} {seed}")
    _, seconds, last = CELLS[cell]
    last += numbers.gauss(0, 0.02)
    rows = []
    for epoch in range(epochs):
        loss = last + (first - last) * math.exp(-epoch / 3.5) + numbers.gauss(0, 0.008)
        running = loss - 0.015 * epoch + 0.2 * math.exp(-epoch)
        rows.append(
            {
                "step": STEPS * (epoch + 1) - 1,
                "epoch": epoch,
                "loss/validation": loss,
                "ppl/validation": math.exp(loss),
                "loss/train_running": running,
                "ppl/train_running": math.exp(running),
                "cost/tokens": TOKENS * (epoch + 1),
                "cost/seconds": seconds * (epoch + 1) * (1 + 0.03 * seed),
            }
        )
    rows[-1] |= {"loss/test": last, "ppl/test": math.exp(last)}
    return rows


def write_scalars(
    folder: Path, rows: Sequence[dict[str, float]], without: Sequence[str] = ()
) -> None:
    """Write the rows to `scalars.csv` as `ScalarsCSV` does."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [name for name in dict.fromkeys(n for row in rows for n in row) if name not in without]
    with (folder / SCALARS).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def run(
    folder: Path, cell: str = "lstm-embed", seed: int = 1, epochs: int = 20, **fields: object
) -> tuple[Path, Record]:
    """A completed run in a folder of its own."""
    parameters, _, _ = CELLS[cell]
    rows = history(cell, seed, epochs)
    best = min(row["loss/validation"] for row in rows)
    model, _, features = cell.partition("-")
    values: dict[str, object] = {
        "model": model,
        "features": features,
        "seed": seed,
        "num_parameters": parameters,
        "train": split(best - 0.4),
        "validation": split(best),
        "test": split(best + 0.06),
        "epochs": epochs,
        "train_seconds": rows[-1]["cost/seconds"],
        **fields,
    }
    made = record(**values)
    path = folder / made.data / cell / f"seed{seed}"
    write_scalars(path, rows)
    made.write(path)
    return path, made


def baseline(folder: Path, name: str, loss: float | None, **fields: object) -> tuple[Path, Record]:
    """A baseline's record; without a loss it is a compressor's."""
    metrics = split(2.0 if loss is None else loss)
    if loss is None:
        del metrics["loss"], metrics["ppl"]
    splits = {"train": metrics, "validation": metrics, "test": metrics}
    made = record(model=name, features=None, seed=None, **splits, **fields)
    path = folder / made.data / name / "baseline"
    made.write(path)
    return path, made


def sweep(
    folder: Path,
    seeds: int = 3,
    epochs: int = 20,
    cells: Sequence[str] = tuple(CELLS),
    **fields: object,
) -> Runs:
    """Every cell with every seed, and the baselines, two of which are compressors."""
    runs = [
        run(folder, cell, seed, epochs, **fields) for cell in cells for seed in range(1, seeds + 1)
    ]
    baselines = {"unigram": 3.05, "kneser_ney": 1.71, "xz": None, "bz2": None}
    return runs + [baseline(folder, name, loss, **fields) for name, loss in baselines.items()]


def failed(data: str = "time_machine", **fields: object) -> tuple[Path, Record]:
    """A run that diverged."""
    values = {"error": "DivergedError: loss is nan", "data": data, **NO_SPLITS, **fields}
    return Path("nowhere"), record(status=FAILED, **values)
