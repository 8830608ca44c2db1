"""Places for runs: how many are carried out at once, and what they share."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from omegaconf import DictConfig

from rnnlm.hardware import VISIBLE_GPUS, Gpu, uses_gpu, visible_cores
from rnnlm.sweep.launchers.gpus import are_exclusive, find_gpus, runs_that_fit
from rnnlm.sweep.launchers.multi_process_service import ServiceError, multi_process_service
from rnnlm.sweep.launchers.options import ProcessOptions


@dataclass(frozen=True)
class Places:
    """The number of runs at once, and what their processes need to share the machine."""

    runs_at_once: int
    gpus: Sequence[Gpu] = ()
    # None: as the configuration says.
    runs_per_gpu: int | None = None
    # Environment variables for the processes of the runs.
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_neighbours(self) -> bool:
        """Tell whether any GPU is shared by several runs at once."""
        return self.runs_at_once > len(self.gpus) > 0

    def one_run_per_gpu(self) -> Places:
        """Return the places of runs that have a GPU each to themselves, without MPS."""
        at_once = min(self.runs_at_once, len(self.gpus))
        return Places(at_once, self.gpus, 1, _naming(self.gpus))


@contextlib.contextmanager
def places_for(num_runs: int, options: ProcessOptions, config: DictConfig) -> Iterator[Places]:
    """Give the places for so many runs, and say in a line how several of them share the machine.

    Where runs share a GPU, NVIDIA's MPS runs while the context lasts, if it can.

    Args:
        config: the configuration of the sweep.
    """
    with contextlib.ExitStack() as stack:
        gpus = find_gpus() if uses_gpu(config.trainer.accelerator) else []
        if gpus:
            wanted = _on_gpus(gpus, num_runs, options, config.runs_per_gpu)
            places, how = _share(wanted, stack)
            where = f"{_in_words(gpus)}{how}"
        else:
            places = _on_cores(num_runs, options)
            where = _count(len(visible_cores()), "core")
        if num_runs > 1 and (gpus or places.runs_at_once > 1):
            print(f"{_count(places.runs_at_once, 'run')} at a time on {where}", flush=True)
        yield places


def _on_cores(num_runs: int, options: ProcessOptions) -> Places:
    fit = len(visible_cores()) if options.one_run_per_core else 1
    return Places(min(options.runs_at_once or fit, num_runs))


def _on_gpus(
    gpus: Sequence[Gpu], num_runs: int, options: ProcessOptions, runs_per_gpu: int | None
) -> Places:
    if runs_per_gpu is not None:
        fit = runs_per_gpu
    elif options.runs_at_once is not None:
        fit = math.ceil(options.runs_at_once / len(gpus))
    else:
        fit = runs_that_fit(gpus, len(visible_cores()))
    at_once = min(options.runs_at_once or fit * len(gpus), num_runs)
    places = Places(at_once, gpus, fit, _naming(gpus))
    return places.one_run_per_gpu() if runs_per_gpu is None and at_once <= len(gpus) else places


def _share(places: Places, stack: contextlib.ExitStack) -> tuple[Places, str]:
    """Start MPS where runs share a GPU; return the places, and how they share it, in words."""
    if not places.has_neighbours:
        return places, ""
    try:
        variables = stack.enter_context(multi_process_service(places.gpus))
    except ServiceError as error:
        if are_exclusive(places.gpus):
            alone = places.one_run_per_gpu()
            return alone, f", which serve one process each; without NVIDIA's MPS: {error}"
        return places, f", taking turns there; without NVIDIA's MPS: {error}"
    environment = {**places.environment, **variables}
    return dataclasses.replace(places, environment=environment), " under NVIDIA's MPS"


def _naming(gpus: Sequence[Gpu]) -> Mapping[str, str]:
    """The variable by which a process sees all slices; GPUs it sees without one."""
    return {VISIBLE_GPUS: ",".join(gpu.uuid for gpu in gpus)} if gpus[0].is_slice else {}


def _in_words(gpus: Sequence[Gpu]) -> str:
    if gpus[0].is_slice:
        return f"{_count(len(gpus), 'slice')} of GPUs"
    names = sorted({gpu.name for gpu in gpus})
    return f"{_count(len(gpus), 'GPU')} ({', '.join(names)})"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
