"""rnnlm/lease.py: real processes that contend for devices that are not there."""

from __future__ import annotations

import multiprocessing
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from rnnlm.lease import gpu_for_run, leased_cores, leased_gpu, visible_cores

GPUS = ["one", "two", "three"]
CONTEXT = multiprocessing.get_context("spawn")


def work(folder: Path, runs_per_gpu: int, start: Barrier, log: Path) -> None:
    """Hold a device three times for a moment, noting when it was taken and given back."""
    start.wait()
    for _ in range(3):
        with leased_gpu(GPUS, runs_per_gpu, folder) as index:
            begun = time.monotonic()
            time.sleep(0.3)
            with log.open("a") as file:
                file.write(f"{index} {begun} {time.monotonic()}\n")


@pytest.mark.parametrize("runs_per_gpu", [1, 2])
def test_no_two_runs_collide_and_no_device_is_idle(tmp_path: Path, runs_per_gpu: int) -> None:
    places = len(GPUS) * runs_per_gpu
    start = CONTEXT.Barrier(places + 1)
    log = tmp_path / "log"
    arguments = (tmp_path / "leases", runs_per_gpu, start, log)
    processes = [CONTEXT.Process(target=work, args=arguments) for _ in range(places + 1)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=120)
        assert process.exitcode == 0
    leases = [line.split() for line in log.read_text().splitlines()]
    assert len(leases) == 3 * (places + 1)
    at_once: dict[str, int] = {}
    for index, begun, _ in leases:
        others = [o for o in leases if o[0] == index and float(o[1]) <= float(begun) < float(o[2])]
        at_once[index] = max(at_once.get(index, 0), len(others))
    assert at_once == {str(index): runs_per_gpu for index in range(len(GPUS))}


def test_every_gpu_gets_a_run_before_any_gets_a_second(tmp_path: Path) -> None:
    with leased_gpu(GPUS, 2, tmp_path) as first, leased_gpu(GPUS, 2, tmp_path) as second:
        with leased_gpu(GPUS, 2, tmp_path) as third, leased_gpu(GPUS, 2, tmp_path) as fourth:
            assert [first, second, third, fourth] == [0, 1, 2, 0]
        with leased_gpu(GPUS, 2, tmp_path) as again:
            assert again == 2


def hold(folder: Path, held: Barrier) -> None:
    """Take a device and never give it back."""
    with leased_gpu(["one"], 1, folder):
        held.wait()
        time.sleep(600)


def test_the_lease_of_a_process_that_was_killed_is_taken_over(tmp_path: Path) -> None:
    held = CONTEXT.Barrier(2)
    process = CONTEXT.Process(target=hold, args=(tmp_path, held))
    process.start()
    held.wait(timeout=120)
    process.kill()
    process.join()
    with leased_gpu(["one"], 1, tmp_path) as index:
        assert index == 0


def test_a_run_on_a_cpu_needs_no_lease() -> None:
    with gpu_for_run("cpu", 1) as gpu:
        assert gpu is None


def test_cores_are_divided_and_one_is_always_had(tmp_path: Path) -> None:
    cores = [0, 1, 2, 3]
    with leased_cores(cores, 3, tmp_path) as first, leased_cores(cores, 3, tmp_path) as second:
        assert (first, second) == (3, 1)
        with leased_cores(cores, 3, tmp_path) as third:
            assert third == 1
    with leased_cores(cores, 4, tmp_path) as all_of_them:
        assert all_of_them == 4
    assert visible_cores()
