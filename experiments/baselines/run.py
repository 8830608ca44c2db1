"""Measure what the baselines reach and what they cost, each in its own process.

    python experiments/baselines/run.py [--source sample] [--characters 8000000]

The corpora are *The Time Machine*, the Tang poems (from RNNLM_DATA_DIR or the network; `--source
sample` takes the texts of the package) and a stand-in for a large corpus. The stand-in is a running
text that a Markov chain draws from the poems; every three characters in a row occur somewhere in
them. Its perplexity means nothing, so only its costs are printed. The output is tables in Markdown.
All files that this script writes are temporary.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rnnlm.baselines import baselines
from rnnlm.baselines.discounts import Discounts
from rnnlm.baselines.kneser_ney import HIGHEST_ORDER, LOWEST_ORDER, KneserNey, KneserNeyConfig
from rnnlm.baselines.ngrams import numbered
from rnnlm.data import corpora
from rnnlm.data.preparation import PreparedCorpus, prepare
from rnnlm.data.texts.splitting import SPLITS
from rnnlm.hardware import peak_memory_mb, reset_peak_memory
from rnnlm.runtime import prepare_process

CORPORA = ("time_machine", "tang")
# The stand-in is drawn as this many chains side by side.
CHAINS = 4_000
CPU = torch.device("cpu")


@dataclass
class Measurement:
    """Metrics of a baseline on a corpus, and what they cost."""

    splits: dict[str, dict[str, float | None]]
    num_chars: int
    order: int | None
    num_parameters: int | None
    seconds: float
    cpu_seconds: float  # on all cores, this process only
    memory_mb: float  # peak, beyond what the process held before


def main() -> None:
    """Print the tables."""
    prepare_process()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", default="full", choices=["full", "sample"])
    parser.add_argument("--characters", type=int, default=8_000_000, help="length of the stand-in")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["RNNLM_CACHE_DIR"] = f"{temporary}/cache"
        texts = {name: (name, arguments.source) for name in CORPORA}
        stand_in = Path(temporary) / "stand-in.txt"
        poems = [poem for split in loaded(*texts["tang"]).texts().values() for poem in split]
        text = markov("\n".join(poems), arguments.characters)
        stand_in.write_text(text, encoding="utf-8", newline="\n")
        print_baselines(texts | {"stand-in": ("time_machine", str(stand_in))})
        print_orders(texts)


def loaded(name: str, source: str) -> PreparedCorpus:
    """Load a corpus with its default options."""
    kind = corpora()[name]
    return prepare(kind(kind.Config(name=name, source=source)))


def markov(text: str, length: int) -> str:
    """Draw a text of `length` characters from a Markov chain of order 2 over `text`.

    Every three characters in a row occur in `text`, whose end is joined to its beginning. Many
    chains are drawn side by side and then joined. At each step, a chain picks at random a place
    of `text` with its last two characters, and appends the character that follows there.
    """
    draw = np.random.default_rng(0)
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.int64)
    _, pair_at = numbered(codes << 21 | np.roll(codes, -1))
    places = np.argsort(pair_at)
    counts = np.bincount(pair_at)
    starts = np.cumsum(counts) - counts
    place = draw.integers(len(codes), size=min(CHAINS, length))
    drawn = []
    for _ in range(length // len(place)):
        pair = pair_at[place]
        same = places[starts[pair] + draw.integers(counts[pair])]
        drawn.append(codes[(same + 2) % len(codes)])
        place = (same + 1) % len(codes)
    return np.stack(drawn, axis=1).astype(np.uint32).tobytes().decode("utf-32-le")


def measured(corpus_name: str, source: str, name: str, options: dict[str, Any]) -> Measurement:
    """Measure a baseline; the loading of the corpus does not count."""
    corpus = loaded(corpus_name, source)
    kind = baselines()[name]
    baseline = kind(kind.Config(name=name, **options))
    reset_peak_memory(CPU)
    before = peak_memory_mb(CPU) or 0.0
    started, cpu_started = time.perf_counter(), time.process_time()
    splits = baseline.measure(corpus)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    return Measurement(
        splits,
        sum(split.num_chars for split in corpus.splits.values()),
        baseline.chosen.get("order"),
        baseline.num_parameters,
        seconds,
        cpu_seconds,
        (peak_memory_mb(CPU) or 0.0) - before,
    )


def print_baselines(texts: dict[str, tuple[str, str]]) -> None:
    """Print a row per baseline and corpus; two for Kneser-Ney, with one and three discounts."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["rnnlm.baselines"])
    metrics = [f"{name} ppl" for name in SPLITS] + ["test bits/char"]
    costs = ("seconds", "CPU seconds", "MB")
    print_header("corpus", "characters", "baseline", "order", "numbers", *metrics, *costs)
    for corpus, text in texts.items():
        for name in baselines():
            kinds = [{"discounts": kind} for kind in Discounts] if name == "kneser_ney" else [{}]
            for options in kinds:
                with ProcessPoolExecutor(1, mp_context=context) as own_process:
                    result = own_process.submit(measured, *text, name, options).result()
                reached = [result.splits[split]["ppl"] for split in SPLITS]
                reached.append(result.splits["test"]["bpc"])
                print_row(
                    corpus,
                    f"{result.num_chars:,}",
                    " ".join([name, *(f"discounts={kind.name}" for kind in options.values())]),
                    result.order,
                    f"{result.num_parameters:,}" if result.num_parameters else None,
                    *(reached if corpus in CORPORA else [None] * len(reached)),
                    f"{result.seconds:.2f}",
                    f"{result.cpu_seconds:.2f}",
                    f"{result.memory_mb:,.0f}",
                )
    print()


def print_orders(texts: dict[str, tuple[str, str]]) -> None:
    """Print the perplexity of Kneser-Ney by order."""
    orders = range(LOWEST_ORDER, HIGHEST_ORDER + 1)
    print_header("corpus", "discounts", "ppl of", *(f"order {order}" for order in orders))
    for name, text in texts.items():
        corpus = loaded(*text)
        for kind in Discounts:
            by_order = [
                KneserNey(KneserNeyConfig(order=order, discounts=kind)).measure(corpus)
                for order in orders
            ]
            for split in ("validation", "test"):
                print_row(name, kind.name, split, *(metrics[split]["ppl"] for metrics in by_order))


def print_header(*names: str) -> None:
    """Print the first two rows of a table."""
    print_row(*names)
    print_row(*[":--"] * len(names))


def print_row(*cells: str | float | None) -> None:
    """Print a row of a table."""
    print("|", " | ".join(map(shown, cells)), "|", flush=True)


def shown(cell: str | float | None) -> str:
    """Return the text of a cell: floats with four digits, nothing for None."""
    if cell is None:
        return ""
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


if __name__ == "__main__":
    main()
