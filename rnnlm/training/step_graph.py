"""A step on a GPU as a CUDA graph: one launch instead of some hundreds.

Launching the kernels of a small network takes the host several times as long as the GPU needs to
run them. A graph holds all kernels of a step, and is launched at once.

A graph holds addresses: whatever a step reads or writes must stay where it is in memory (the
weights, the optimizer's moments, the carried state). It is recorded for one shape of a batch. What
differs from step to step is copied to its inputs: the tokens, and the learning rate
(`LearningRateOnDevice`).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from rnnlm.data.batching import Batch
from rnnlm.model.language_model import State

# A step from a batch and the state before it: its results, and the state after it.
Step = Callable[[Batch, State], tuple[tuple[Tensor, ...], State]]

# A shape is recorded when it comes once more: libraries and the optimizer are ready by then.
STEPS_BEFORE_RECORDING = 3
# The most graphs, each for a shape. Other shapes run plainly.
MOST_GRAPHS = 16

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Recorded:
    """A recorded step, and the memory that it reads from and writes to."""

    graph: torch.cuda.CUDAGraph
    batch: Batch
    state: State
    results: tuple[Tensor, ...]


class StepGraphs:
    """Repeats a step as a graph, for the shapes of batches that come again and again.

    Args:
        step: is recorded once for each shape. It must not read a value from the GPU.
        zero_state: returns the zero state of a number of sequences, on the GPU.
    """

    def __init__(self, step: Step, zero_state: Callable[[int], State]) -> None:
        self._step, self._zero_state = step, zero_state
        self._seen: Counter[tuple[Any, ...]] = Counter()
        self._recorded: dict[tuple[Any, ...], _Recorded] = {}
        self._memory: Any = None  # shared by the graphs, which never run at the same time
        self._failed = False

    def takes(self, batch: Batch) -> bool:
        """Tell whether `run` is to do the step of this batch; call it once for each batch."""
        if self._failed:
            return False
        key = _key(batch)
        if key in self._recorded:
            return True
        self._seen[key] += 1
        return self._seen[key] > STEPS_BEFORE_RECORDING and len(self._recorded) < MOST_GRAPHS

    def run(self, batch: Batch, state: State | None) -> tuple[tuple[Tensor, ...], State]:
        """Do a step, and record it first if that has not been done for this shape.

        Returns:
            The results and the state after the step. The next step overwrites them.
        """
        recorded = self._recorded.get(_key(batch)) or self._record(batch)
        if recorded is None:
            state = self._zero_state(batch.inputs_TB.shape[1]) if state is None else state
            return self._step(batch, state)
        recorded.batch.inputs_TB.copy_(batch.inputs_TB)
        recorded.batch.targets_TB.copy_(batch.targets_TB)
        _set_state(recorded.state, state)
        recorded.graph.replay()
        return recorded.results, recorded.state

    def _record(self, batch: Batch) -> _Recorded | None:
        """Record the step for the shape of this batch, without doing it.

        A step that cannot be recorded, such as one of a cell that reads values from the GPU, runs
        plainly from then on.
        """
        fixed = batch._replace(
            inputs_TB=batch.inputs_TB.clone(), targets_TB=batch.targets_TB.clone()
        )
        state, graph = self._zero_state(batch.inputs_TB.shape[1]), torch.cuda.CUDAGraph()
        state = tuple(tuple(part.clone() for part in layer) for layer in state)
        try:
            with _without_autocast_cache(), torch.cuda.graph(graph, pool=self._memory):
                results, after = self._step(fixed, state)
                for part, part_after in zip(_parts(state), _parts(after), strict=True):
                    part.copy_(part_after)
        except RuntimeError as error:
            self._failed = True
            log.warning("steps run without a CUDA graph, which is slower: %s", error)
            return None
        self._memory = graph.pool()
        recorded = _Recorded(graph, fixed, state, results)
        self._recorded[_key(batch)] = recorded
        return recorded


class LearningRateOnDevice:
    """Gives the optimizer its learning rate in the GPU's memory, so that a graph can read it.

    The rate in the optimizer's groups, which schedules change and checkpoints hold, stays a number.

    Args:
        optimizer: a fused one.
    """

    def __init__(self, optimizer: Optimizer, device: torch.device) -> None:
        self._optimizer = optimizer
        self._tensors = [torch.zeros((), device=device) for _ in optimizer.param_groups]
        self._numbers = [0.0 for _ in optimizer.param_groups]
        optimizer.register_step_pre_hook(self._put_tensors)
        optimizer.register_step_post_hook(self._put_numbers)

    def update(self) -> None:
        """Copy the present rates to the device, if they have changed."""
        for index, group in enumerate(self._optimizer.param_groups):
            if group["lr"] != self._numbers[index]:
                self._numbers[index] = group["lr"]
                self._tensors[index].fill_(group["lr"])

    def _put_tensors(self, *_: Any) -> None:
        if not torch.cuda.is_current_stream_capturing():
            self.update()
        for group, tensor in zip(self._optimizer.param_groups, self._tensors, strict=True):
            group["lr"] = tensor

    def _put_numbers(self, *_: Any) -> None:
        for group, number in zip(self._optimizer.param_groups, self._numbers, strict=True):
            group["lr"] = number


def _key(batch: Batch) -> tuple[Any, ...]:
    return (*batch.inputs_TB.shape, batch.scale)


def _parts(state: State) -> list[Tensor]:
    return [part for layer in state for part in layer]


def _set_state(fixed: State, state: State | None) -> None:
    """Copy a state to where a graph reads it; None is the zero state."""
    if state is None:
        torch._foreach_zero_(_parts(fixed))
    elif state is not fixed:
        torch._foreach_copy_(_parts(fixed), _parts(state))


def _without_autocast_cache() -> torch.autocast:
    """Return the present autocast, but with weights rounded anew in each step that is recorded."""
    return torch.autocast(
        "cuda",
        torch.get_autocast_dtype("cuda"),
        enabled=torch.is_autocast_enabled("cuda"),
        cache_enabled=False,
    )
