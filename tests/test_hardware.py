"""rnnlm/hardware.py"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from rnnlm.hardware import (
    Gpu,
    has_gpu,
    is_gpu_error,
    peak_memory_mb,
    reset_peak_memory,
    use_gpu,
    visible_gpus,
)

CPU = torch.device("cpu")


def test_a_peak_is_seen_and_forgotten_at_the_reset() -> None:
    reset_peak_memory(CPU)
    before = peak_memory_mb(CPU)
    held = torch.ones(100_000_000, dtype=torch.uint8)
    with_it = peak_memory_mb(CPU)
    del held
    reset_peak_memory(CPU)
    after = peak_memory_mb(CPU)
    assert before is not None
    assert with_it is not None
    assert after is not None
    assert with_it - before > 90
    assert with_it - after > 90


def test_gpus_have_the_names_that_cuda_visible_devices_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,0")
    properties = SimpleNamespace(uuid="5d5ba0d6", name="H100", total_memory=80)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: properties)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    gpus = visible_gpus()
    assert gpus == [Gpu("GPU-5d5ba0d6", "H100", 80)] * 2
    assert use_gpu(gpus, 1) == 1
    monkeypatch.setattr(torch.version, "cuda", None)  # AMD's
    assert visible_gpus()[0].uuid == "5d5ba0d6"


def test_slices_are_found_without_starting_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    def start() -> int:
        raise AssertionError("CUDA has started")

    monkeypatch.setattr(torch.cuda, "is_available", start)
    monkeypatch.setattr(torch.cuda, "device_count", start)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-a,MIG-b")
    for version, expected in (("13.0", True), (None, False)):
        monkeypatch.setattr(torch.version, "cuda", version)
        assert has_gpu() is expected
    assert [gpu.uuid for gpu in visible_gpus()] == ["MIG-a", "MIG-b"]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB."), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), True),
        (RuntimeError("Expected all tensors on the same device, cuda:0 and cpu"), False),
        (RuntimeError("can't allocate memory"), False),
        (MemoryError("CUDA"), False),
    ],
)
def test_errors_of_a_gpu_are_told_from_others(error: Exception, expected: bool) -> None:
    assert is_gpu_error(error) is expected
