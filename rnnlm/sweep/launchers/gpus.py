"""The GPUs that runs can use, and how many runs may share one.

The launcher never starts CUDA itself, which would take memory of the GPU for as long as the sweep
lasts. It has short processes do so.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from typing import TypeVar

import torch

from rnnlm.hardware import VISIBLE_GPUS, Gpu, visible_gpus
from rnnlm.runs.failure import reason
from rnnlm.signals.handlers import ignore_interrupts
from rnnlm.sweep.launchers import process_server

# An allowance and no limit: a run that finds no memory left beside others is tried again by itself.
BYTES_PER_RUN = 4 * 10**9
MOST_RUNS_PER_GPU = 8
# Without NVIDIA's persistence daemon, the first process on a machine with many GPUs starts slowly.
SECONDS_TO_ANSWER = 60.0
# MPS refuses processes while it starts, and after a failure until it has recovered.
TRIES, SECONDS_BETWEEN_TRIES = 3, 1.0

Answer = TypeVar("Answer")


def find_gpus() -> list[Gpu]:
    """Return the GPUs that runs can use, of a divided GPU all slices; empty if CUDA fails."""
    gpus = _ask(visible_gpus) or []
    if gpus and " MIG " in gpus[0].name:  # CUDA shows a process a single slice
        listed = _nvidia_smi("-L") or ""
        slices = slices_in(listed, os.environ.get(VISIBLE_GPUS))
        return [Gpu(uuid) for uuid in slices] or gpus
    return gpus


def runs_that_fit(gpus: Sequence[Gpu], num_cores: int) -> int:
    """Return how many runs share each GPU unless `runs_per_gpu` says otherwise.

    It is the number of cores per GPU, or that of `BYTES_PER_RUN` in the smallest GPU's memory, or
    `MOST_RUNS_PER_GPU`, whichever is least; but 1 if the GPUs are slices, or one is too small.
    """
    if any(gpu.is_slice for gpu in gpus):
        return 1
    by_memory = min(gpu.memory for gpu in gpus) // BYTES_PER_RUN
    return max(1, min(num_cores // len(gpus), by_memory, MOST_RUNS_PER_GPU))


def why_unusable(environment: Mapping[str, str]) -> str | None:
    """Compute on every GPU in a process with these variables, and return its error, if any.

    It is tried a few times.
    """
    for number in range(TRIES):
        time.sleep(SECONDS_BETWEEN_TRIES if number else 0.0)
        if (error := _ask(_compute, environment)) is None:
            return "a process that tried it gave no answer"
        if not error:
            return None
    return error


def are_exclusive(gpus: Sequence[Gpu]) -> bool:
    """Tell whether a GPU is set to serve a single process, which is a compute mode of NVIDIA's."""
    uuids = ",".join(gpu.uuid for gpu in gpus)
    modes = _nvidia_smi("--query-gpu=compute_mode", "--format=csv,noheader", f"--id={uuids}")
    return "Exclusive" in (modes or "")


def slices_in(listed: str, visible: str | None) -> list[str]:
    """Return the UUIDs of the slices in what `nvidia-smi -L` prints.

    Args:
        visible: `CUDA_VISIBLE_DEVICES`, which names GPUs by number or by the beginning of the UUID;
            None for all GPUs.
    """
    names = None if visible is None else [name.strip() for name in visible.split(",")]
    uuids: list[str] = []
    is_visible = True
    for line in listed.splitlines():
        if gpu := re.match(r"GPU (\d+): .*\(UUID: (GPU-[^)]+)\)", line):
            number, uuid = gpu.groups()
            is_visible = names is None or any(
                name == number or (name and uuid.startswith(name)) for name in names
            )
        elif is_visible and (found := re.search(r"\(UUID: (MIG-[^)]+)\)", line)):
            uuids.append(found[1])
    return uuids


def _compute() -> str:
    """Compute on every GPU, and return the error in a line; empty if there is none."""
    try:
        for gpu in range(torch.cuda.device_count()):
            torch.ones(1, device=f"cuda:{gpu}").sum().item()
    except RuntimeError as error:
        return reason(error)
    return ""


def _ask(
    function: Callable[[], Answer], environment: Mapping[str, str] | None = None
) -> Answer | None:
    """Call a function in a process with these variables; None if it fails or takes too long."""
    context = process_server.start_method_context()
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(  # type: ignore[attr-defined]
        target=_answer, args=(function, dict(environment or {}), sender), daemon=True
    )
    answer: Answer | None = None
    try:
        process.start()
    except (OSError, EOFError):  # there is no memory for another process
        return None
    sender.close()
    with contextlib.suppress(EOFError, OSError):
        if receiver.poll(SECONDS_TO_ANSWER):
            answer = receiver.recv()
            process.join(SECONDS_TO_ANSWER)
    process.kill()
    process.join()
    receiver.close()
    return answer


def _answer(
    function: Callable[[], object], environment: dict[str, str], sender: Connection
) -> None:
    ignore_interrupts()
    warnings.simplefilter("ignore")
    os.environ.update(environment)
    with contextlib.suppress(Exception):
        sender.send(function())


def _nvidia_smi(*arguments: str) -> str | None:
    """Return what NVIDIA's tool prints; None if there is none, or if it fails."""
    try:
        return subprocess.run(
            ["nvidia-smi", *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=SECONDS_TO_ANSWER,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
