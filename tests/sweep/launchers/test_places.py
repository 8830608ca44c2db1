"""rnnlm/sweep/launchers/places.py, with fake devices."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from omegaconf import OmegaConf

from rnnlm.hardware import Gpu
from rnnlm.sweep.launchers import places as module
from rnnlm.sweep.launchers.multi_process_service import ServiceError
from rnnlm.sweep.launchers.options import ProcessOptions
from rnnlm.sweep.launchers.places import Places, places_for


@dataclass
class Machine:
    """A machine as the launcher finds it, and whether MPS has started and ended on it."""

    gpus: list[Gpu] = field(default_factory=list)
    cores: int = 16
    why_no_service: str | None = None
    is_exclusive: bool = False
    events: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def service(self, gpus: Sequence[Gpu]) -> Iterator[Mapping[str, str]]:
        if self.why_no_service:
            raise ServiceError(self.why_no_service)
        self.events.append("start")
        yield {"PIPES": "here"}
        self.events.append("end")

    def places(
        self, num_runs: int, runs_per_gpu: int | None = None, accelerator: str = "auto", **more: int
    ) -> Places:
        config = {"trainer": {"accelerator": accelerator}, "runs_per_gpu": runs_per_gpu}
        options = ProcessOptions(**more)  # type: ignore[arg-type]
        with places_for(num_runs, options, OmegaConf.create(config)) as places:
            return places


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    monkeypatch.setattr(module, "find_gpus", lambda: machine.gpus)
    monkeypatch.setattr(module, "uses_gpu", lambda accelerator: accelerator != "cpu")
    monkeypatch.setattr(module, "visible_cores", lambda: list(range(machine.cores)))
    monkeypatch.setattr(module, "multi_process_service", machine.service)
    monkeypatch.setattr(module, "are_exclusive", lambda gpus: machine.is_exclusive)
    return machine


def cards(count: int) -> list[Gpu]:
    return [Gpu(f"GPU-{index}", "H100", 80 * 10**9) for index in range(count)]


def test_on_cpus_one_run_at_a_time_is_the_default(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert machine.places(6) == Places(1)
    assert machine.places(1, one_run_per_core=True) == Places(1)
    assert capsys.readouterr().out == ""
    assert machine.places(6, one_run_per_core=True) == Places(6)
    machine.cores = 2
    assert machine.places(6, one_run_per_core=True) == Places(2)
    assert machine.places(6, runs_at_once=3) == Places(3)
    machine.gpus = cards(1)
    assert machine.places(6, accelerator="cpu") == Places(1)
    lines = [f"{n} runs at a time on {cores} cores" for n, cores in ((6, 16), (2, 2), (3, 2))]
    assert capsys.readouterr().out.splitlines() == lines
    assert machine.events == []


@pytest.mark.parametrize(
    ("given", "expected", "line"),
    [
        ((1, 30, None, None), (8, 8), "8 runs at a time on 1 GPU (H100) under NVIDIA's MPS"),
        ((2, 30, None, None), (16, 8), "16 runs at a time on 2 GPUs (H100) under NVIDIA's MPS"),
        ((1, 3, None, None), (3, 8), "3 runs at a time on 1 GPU (H100) under NVIDIA's MPS"),
        ((1, 30, 3, None), (3, 3), "3 runs at a time on 1 GPU (H100) under NVIDIA's MPS"),
        ((2, 30, 1, None), (2, 1), "2 runs at a time on 2 GPUs (H100)"),
        ((1, 30, None, 1), (1, 1), "1 run at a time on 1 GPU (H100)"),  # serial
        ((2, 30, None, 5), (5, 3), "5 runs at a time on 2 GPUs (H100) under NVIDIA's MPS"),
        ((4, 3, None, None), (3, 1), "3 runs at a time on 4 GPUs (H100)"),
        ((1, 1, None, None), (1, 1), ""),
        ((1, 1, 2, None), (1, 2), ""),  # another sweep may share
    ],
)
def test_on_gpus_as_many_runs_as_fit_share_each(
    given: tuple[int, int, int | None, int | None],
    expected: tuple[int, int],
    line: str,
    machine: Machine,
    capsys: pytest.CaptureFixture[str],
) -> None:
    gpus, num_runs, runs_per_gpu, runs_at_once = given
    machine.gpus, machine.cores = cards(gpus), 32
    options = {} if runs_at_once is None else {"runs_at_once": runs_at_once}
    places = machine.places(num_runs, runs_per_gpu, "auto", **options)
    assert (places.runs_at_once, places.runs_per_gpu) == expected
    assert capsys.readouterr().out.strip() == line
    assert places.has_neighbours == ("MPS" in line)
    assert places.environment == ({"PIPES": "here"} if "MPS" in line else {})
    assert machine.events == (["start", "end"] if "MPS" in line else [])
    alone = places.one_run_per_gpu()
    assert (alone.runs_at_once, alone.runs_per_gpu) == (min(expected[0], gpus), 1)
    assert not alone.has_neighbours


def test_without_the_service_runs_take_turns_unless_the_gpu_forbids_it(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.gpus, machine.why_no_service = cards(2), "there is none"
    assert machine.places(30).runs_at_once == 16
    machine.is_exclusive = True
    places = machine.places(30, runs_per_gpu=4)
    assert (places.runs_at_once, places.runs_per_gpu) == (2, 1)
    first, second = capsys.readouterr().out.splitlines()
    what = "2 GPUs (H100)"
    assert first == (
        f"16 runs at a time on {what}, taking turns there; without NVIDIA's MPS: there is none"
    )
    assert second == (
        f"2 runs at a time on {what}, which serve one process each; "
        "without NVIDIA's MPS: there is none"
    )


def test_each_slice_of_a_divided_gpu_is_a_place(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.gpus = [Gpu("MIG-a"), Gpu("MIG-b")]
    assert machine.places(6) == Places(2, machine.gpus, 1, {"CUDA_VISIBLE_DEVICES": "MIG-a,MIG-b"})
    assert capsys.readouterr().out == "2 runs at a time on 2 slices of GPUs\n"
