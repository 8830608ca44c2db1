"""rnnlm/sweep/launchers/lease.py: real processes that contend for devices that are not there."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pwd
import socket
import threading
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from rnnlm.files.lock import locked
from rnnlm.hardware import Gpu, visible_cores
from rnnlm.sweep.launchers import lease
from rnnlm.sweep.launchers.lease import (
    gpu_for_run,
    lease_folder,
    leased_cores,
    leased_gpu,
)

GPUS = [Gpu("one"), Gpu("two"), Gpu("three")]
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
    arguments = (tmp_path, runs_per_gpu, start, log)
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
    with leased_gpu([Gpu("one")], 1, folder):
        held.wait()
        time.sleep(600)


def test_the_lease_of_a_process_that_was_killed_is_taken_over(tmp_path: Path) -> None:
    held = CONTEXT.Barrier(2)
    process = CONTEXT.Process(target=hold, args=(tmp_path, held))
    process.start()
    held.wait(timeout=120)
    process.kill()
    process.join()
    with leased_gpu([Gpu("one")], 1, tmp_path) as index:
        assert index == 0


def test_a_run_on_a_cpu_needs_no_lease() -> None:
    with gpu_for_run("cpu", 1) as gpu:
        assert gpu is None


def test_each_run_has_a_slice_of_a_divided_gpu_to_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(lease, "uses_gpu", lambda accelerator: True)
    used = []
    with contextlib.ExitStack() as held:
        for _ in range(3):
            # The launcher names all slices; CUDA would show a process the first alone.
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-a,MIG-b, MIG-c")
            assert held.enter_context(gpu_for_run("gpu", None)) == 0
            used.append(os.environ["CUDA_VISIBLE_DEVICES"])
        locks = sorted(path.name for path in tmp_path.rglob("*.lock"))
    assert used == ["MIG-a", "MIG-b", "MIG-c"]
    assert locks == ["gpu-MIG-a-0.lock", "gpu-MIG-b-0.lock", "gpu-MIG-c-0.lock"]


def test_cores_are_divided_and_one_is_always_had(tmp_path: Path) -> None:
    cores = [0, 1, 2, 3]
    with leased_cores(cores, 3, tmp_path) as first, leased_cores(cores, 3, tmp_path) as second:
        assert (first, second) == (3, 1)
        with leased_cores(cores, 3, tmp_path) as third:
            assert third == 1
    with leased_cores(cores, 4, tmp_path) as all_of_them:
        assert all_of_them == 4
    assert visible_cores()


def test_the_locks_are_below_the_users_own_cache_and_not_the_corpora(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("RNNLM_CACHE_DIR", str(tmp_path / "other"))
    folder = lease_folder()
    assert folder is not None
    assert folder.parent == tmp_path / "rnnlm" / "leases"
    with leased_cores([0], 1, folder) as threads:
        assert threads == 1
        assert folder.stat().st_mode & 0o777 == 0o700


def in_the_way(kind: str, folder: Path) -> None:
    """Put something else in the place of the folder of locks."""
    if kind == "a file":
        folder.touch()
    elif kind == "a file above":
        folder.parent.rmdir()
        folder.parent.touch()
    elif kind == "a link":
        (folder.parent / "elsewhere").mkdir()
        folder.symlink_to("elsewhere")
    elif kind == "a dangling link":
        folder.symlink_to("nowhere")
    elif kind == "others may write":
        folder.mkdir()
        folder.chmod(0o777)
    elif kind == "another user's":
        if os.geteuid() != 0:
            pytest.skip("only root can give a folder to another user")
        folder.mkdir(mode=0o777)
        os.chown(folder, 65534, 65534)


@pytest.mark.parametrize(
    "kind",
    ["a file", "a file above", "a link", "a dangling link", "others may write", "another user's"],
)
def test_without_locks_a_run_goes_on_with_one_thread_or_the_first_gpu(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "rnnlm" / "leases" / socket.gethostname()
    folder.parent.mkdir(parents=True)
    in_the_way(kind, folder)
    assert lease_folder() is None
    with leased_cores([0, 1], 2, None) as threads, leased_gpu(GPUS, 1, None) as gpu:
        assert (threads, gpu) == (1, 0)
    said, about_threads, about_gpu = caplog.messages
    assert said.startswith("GPUs and cores cannot be shared between runs by locks: ")
    assert str(folder.parent) in said
    assert about_threads.startswith("this run computes with one thread")
    assert about_gpu == "this run uses GPU 0, even if another run uses it too"
    assert not list(tmp_path.rglob("*.lock"))


def test_a_user_without_a_home_has_no_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(number: int) -> pwd.struct_passwd:
        raise KeyError(number)

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    with leased_cores([0, 1], 2, lease_folder()) as threads:
        assert threads == 1


def test_a_lock_that_cannot_be_had_is_done_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "core-0.lock").mkdir()
    (tmp_path / "gpu-one-0.lock").symlink_to(tmp_path / "elsewhere")
    with leased_cores([0, 1, 2], 2, tmp_path) as threads:
        assert threads == 2
    assert len(caplog.messages) == 1
    with leased_gpu(GPUS[:2], 1, tmp_path) as first, leased_gpu(GPUS[:2], 1, tmp_path) as second:
        assert (first, second) == (1, 0)
    assert caplog.messages[-1] == "this run uses GPU 0, even if another run uses it too"
    assert not (tmp_path / "elsewhere").exists()


def test_waiting_for_a_gpu_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    released = threading.Event()
    with locked(tmp_path / "gpu-one-0.lock") as is_ours:
        assert is_ours
        taken: list[int] = []

        def wait() -> None:
            with leased_gpu([Gpu("one")], 1, tmp_path) as index:
                taken.append(index)
                released.set()

        thread = threading.Thread(target=wait)
        thread.start()
        assert not released.wait(1.2)
    thread.join(timeout=60)
    assert taken == [0]
    (message,) = caplog.messages
    assert message.startswith("waiting for a GPU: other runs hold the locks gpu-*.lock in ")
