"""rnnlm/sweep/launchers/gpus.py: devices that are not there."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from rnnlm.hardware import Gpu
from rnnlm.sweep.launchers import gpus as module
from rnnlm.sweep.launchers import process_server
from rnnlm.sweep.launchers.gpus import (
    are_exclusive,
    find_gpus,
    runs_that_fit,
    slices_in,
    why_unusable,
)

LISTED = """\
GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6-aaaa)
  MIG 3g.20gb     Device  0: (UUID: MIG-c7384736-a75d)
  MIG 1g.5gb      Device  1: (UUID: MIG-a28ad590-3fda)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-1d0b8c11-bbbb)
GPU 2: NVIDIA A100-SXM4-40GB (UUID: GPU-77e4f7a2-cccc)
  MIG 7g.40gb     Device  0: (UUID: MIG-GPU-77e4f7a2-cccc/0/0)
"""
FIRST_TWO = ["MIG-c7384736-a75d", "MIG-a28ad590-3fda"]
THIRD = "MIG-GPU-77e4f7a2-cccc/0/0"


def gpu(uuid: str = "GPU-a", gigabytes: int = 80) -> Gpu:
    return Gpu(uuid, "Fake", gigabytes * 10**9)


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, [*FIRST_TWO, THIRD]),
        ("0", FIRST_TWO),
        ("1, 2", [THIRD]),
        ("GPU-5d5b", FIRST_TWO),
        ("1", []),
        ("", []),
    ],
)
def test_slices_are_those_of_the_visible_gpus(visible: str | None, expected: list[str]) -> None:
    assert slices_in(LISTED, visible) == expected


@pytest.mark.parametrize(
    ("gpus", "cores", "expected"),
    [
        ([gpu()], 16, 8),  # the most
        ([gpu()], 6, 6),  # a core each
        ([gpu("GPU-a"), gpu("GPU-b")], 8, 4),
        ([gpu("GPU-a"), gpu("GPU-b", 24)], 64, 6),  # by memory of the smaller
        ([gpu("GPU-a", 2)], 16, 1),
        ([gpu("GPU-a"), gpu("GPU-b")], 1, 1),
        ([gpu("MIG-a"), gpu("MIG-b")], 16, 1),
    ],
)
def test_runs_on_a_gpu_are_limited_by_cores_memory_and_a_number(
    gpus: list[Gpu], cores: int, expected: int
) -> None:
    assert runs_that_fit(gpus, cores) == expected


def nvidia_smi(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "nvidia-smi"
    path.write_text(f'#!/bin/sh\necho "$@" >> {folder}/calls\n{script}\n')
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_a_divided_gpu_is_found_as_its_slices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = [Gpu("GPU-x", "NVIDIA A100-SXM4-40GB MIG 3g.20gb", 20 * 10**9)]
    monkeypatch.setattr(module, "_ask", lambda function: shown)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    nvidia_smi(tmp_path, f"cat <<'EOF'\n{LISTED}EOF", monkeypatch)
    assert [found.uuid for found in find_gpus()] == [*FIRST_TWO, THIRD]
    monkeypatch.setenv("PATH", "/nonexistent")
    assert find_gpus() == shown
    shown[0] = gpu()
    assert find_gpus() == [gpu()]


def test_the_compute_mode_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvidia_smi(tmp_path, "echo Default; echo Exclusive_Process", monkeypatch)
    assert are_exclusive([gpu("GPU-a"), gpu("GPU-b")])
    asked = "--query-gpu=compute_mode --format=csv,noheader --id=GPU-a,GPU-b\n"
    assert (tmp_path / "calls").read_text() == asked
    nvidia_smi(tmp_path, "echo Default", monkeypatch)
    assert not are_exclusive([gpu()])
    nvidia_smi(tmp_path, "echo Exclusive_Process; exit 9", monkeypatch)
    assert not are_exclusive([gpu()])


def say_variable() -> str:
    return os.environ["RNNLM_TEST_VARIABLE"]


def never_end() -> str:
    time.sleep(600)
    return ""


def test_a_process_answers_with_its_variables_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process_server.start()
    monkeypatch.setattr(module, "_compute", say_variable)
    assert why_unusable({"RNNLM_TEST_VARIABLE": ""}) is None
    monkeypatch.setattr(module, "SECONDS_BETWEEN_TRIES", 0.0)
    assert why_unusable({"RNNLM_TEST_VARIABLE": "CUDA error"}) == "CUDA error"
    answers = iter(["MPS server is not ready", "MPS server is not ready", ""])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_ask", lambda function, environment: next(answers))
        assert why_unusable({}) is None
    monkeypatch.setattr(module, "SECONDS_TO_ANSWER", 0.2)
    monkeypatch.setattr(module, "_compute", never_end)
    assert why_unusable({}) == "a process that tried it gave no answer"
    monkeypatch.setattr(module, "visible_gpus", say_variable)
    assert find_gpus() == []
