"""The parts of the check: a process each, what its tables ask, and how long it may take."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# c / a in geometric mean over the cells, by size; no cell may be below 1.
LEAST_SPEED = {"lyrics": 1.5, "letters": 2.0}
Judge = Callable[[dict[str, Any]], dict[str, Any]]


def no_verdict(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as it is."""
    return row


def judged_speed(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the benchmark of speed with the verdict on its ratio."""
    ratio = float(re.split(r"\s", row["c / a"])[0])
    is_mean = row["cell"] == "geometric mean"
    if is_mean and row["features"] != "all":
        return row
    return {**row, "holds": ratio >= (LEAST_SPEED[row["size"]] if is_mean else 1.0)}


@dataclass(frozen=True)
class Part:
    """A part of the check.

    Attributes:
        program: the arguments of Python.
        seconds: its time limit.
        tables: what each of its tables asks and which bound it has, by the table's name.
        judged: adds the verdict to a row that has none.
    """

    name: str
    program: tuple[str, ...]
    seconds: float
    tables: dict[str, str]
    judged: Judge = no_verdict
    # What makes the program small enough for a CPU.
    small: tuple[str, ...] = ("--cpu",)

    def command(self, on_cpu: bool) -> list[str]:
        """Return the arguments of Python, on a GPU or in miniature on a CPU."""
        return [*self.program, *(self.small if on_cpu else ())]


def module(name: str, *arguments: str) -> tuple[str, ...]:
    """Return the arguments of Python that run a module of this folder."""
    return ("-m", f"experiments.gpu.{name}", *arguments)


def speed(name: str, bound: str, judged: Judge, *options: str) -> Part:
    """Return the part that times steps of the two sizes of teaching code."""
    program = ("experiments/speed/run.py", "--sizes", "letters", "lyrics", "--no-memory", "--json")
    return Part(
        name,
        (*program, *options),
        90,
        {
            name: "How many tokens a second does the Trainer (a) train, compared with the same "
            "network in a plain loop (b) and the conventional loop (c) in PyTorch's defaults? "
            f"{bound}"
        },
        judged,
        ("--cpu", "--sizes", "letters", "--cells", "rnn", "--rounds", "1", "--seconds", "0.01"),
    )


def sweep(name: str, bound: float, seconds: float) -> Part:
    """Return the part that times the six-cell grid of a size."""
    return Part(
        f"sweep_{name}",
        module("sweeps", name),
        seconds,
        {
            name: f"How long does the six-cell grid take at the size of *{name}*, with six runs "
            "at a time under MPS, compared with six conventional loops in turn (their steps "
            f"alone)? Bound: at most {bound} of the loops."
        },
    )


# In the order of what must be known first, should the time not suffice.
PARTS = [
    Part(
        "agreement",
        module("agreement"),
        100,
        {
            "agreement": "How far are loss, hidden states and gradients from those of float64 on "
            "a CPU? Relative errors. Bound: 1e-9 in 64-true, 1e-4 in 32-true, 6e-2 in bf16-mixed "
            "and 16-mixed."
        },
    ),
    Part(
        "training",
        module("training"),
        100,
        {
            "flags": "Which global flags of PyTorch does a run leave changed? Bound: none.",
            "plain loop": "How far are weights that the Trainer has trained, where the step is "
            "captured as a CUDA graph, from those of a plain loop? Bound: 1e-9 in 64-true, 1e-2 in "
            "32-true.",
            "repeatability": "Are the weights of two trainings with one seed alike?",
            "waits": "Which lines wait for the GPU, in a hundred steps of an LSTM? Bound: two "
            "waits, one of them for the look for a divergence; with 16-mixed, the gradient scaler "
            "waits at each step.",
        },
    ),
    speed(
        "speed",
        "Bound: c / a at least 1 in every row, in geometric mean 2 at *letters*, 1.5 at *lyrics*.",
        judged_speed,
    ),
    Part(
        "resuming",
        module("resuming"),
        60,
        {
            "resuming": "Does an LSTM that SIGKILL has ended go on, and to the same losses? Bound: "
            "within 1e-3 nats of a run that was left alone."
        },
    ),
    sweep("letters", 0.15, 110),
    sweep("lyrics", 0.25, 190),
    Part(
        "shares",
        module("shares"),
        70,
        {
            "shares": "Where does the time of `experiment=lyrics_grid model=lstm` go? Bound: "
            "training at least 70 %."
        },
    ),
    Part(
        "sweep_letters_otherwise",
        module("sweeps", "letters_otherwise"),
        300,
        {
            "letters_otherwise": "And at the size of *letters* without MPS, and one run at a time? "
            "No bound."
        },
    ),
    speed("speed_bf16", "No bound.", no_verdict, "--precision", "bf16-mixed"),
]
