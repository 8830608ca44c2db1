"""Measure how long the first grid takes with each launcher, and check that its metrics agree.

    python experiments/launchers/run.py --rounds 2 serial parallel

The launchers run in turn. The output is a table in Markdown. Other launchers for Hydra can be named
too if they are installed (`joblib`, `submitit_local`). They get one thread per run, as `parallel`
gives on two cores.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rnnlm.data.texts.splitting import SPLITS
from rnnlm.results.record import COMPLETED, find_records

RUN = Path(__file__).parents[2] / "run.py"
GRID = ["-m", "model=rnn,lstm,gru", "features=embed,onehot"]
OWN = ("serial", "parallel")


def seconds_of(launcher: str, options: list[str], folder: Path) -> float:
    """Run the grid and return the wall-clock time of the whole command."""
    command = [sys.executable, str(RUN), *GRID, f"hydra/launcher={launcher}", *options]
    if launcher == "joblib":
        command.append(f"hydra.launcher.n_jobs={os.cpu_count()}")
    threads = {} if launcher in OWN else {"OMP_NUM_THREADS": "1"}
    started = time.perf_counter()
    subprocess.run(
        [*command, f"output_dir={folder}"],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, **threads},
    )
    return time.perf_counter() - started


def metrics_of(folder: Path) -> dict[str, list[object]]:
    """Metrics of every completed run, by its fingerprint."""
    return {
        record.fingerprint: [getattr(record, split) for split in SPLITS]
        for _, record in find_records([folder])[0]
        if record.status == COMPLETED
    }


def main() -> None:
    """Time the launchers in turn and compare the others with the first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("launchers", nargs="+", metavar="LAUNCHER")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--option", action="append", default=[], help="for run.py, repeatable")
    arguments = parser.parse_args()
    seconds: dict[str, list[float]] = {launcher: [] for launcher in arguments.launchers}
    reference: dict[str, list[object]] = {}
    identical = dict.fromkeys(arguments.launchers, True)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.rounds):
            for launcher in arguments.launchers:
                outputs = Path(folder, f"{launcher}{number}")
                seconds[launcher].append(seconds_of(launcher, arguments.option, outputs))
                reference = reference or metrics_of(outputs)
                identical[launcher] &= metrics_of(outputs) == reference
    first = statistics.median(seconds[arguments.launchers[0]])
    print("| launcher | seconds, each round | median | ratio | figures |")
    print("| :-- | :-- | --: | --: | :-- |")
    for launcher, each in seconds.items():
        rounds = ", ".join(f"{one:.1f}" for one in each)
        median = statistics.median(each)
        same = "identical" if identical[launcher] else "differ"
        print(f"| `{launcher}` | {rounds} | {median:.1f} | {median / first:.2f} | {same} |")


if __name__ == "__main__":
    main()
