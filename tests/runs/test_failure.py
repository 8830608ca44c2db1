"""rnnlm/runs/failure.py."""

from __future__ import annotations

import errno
import os

import pytest
import torch

from rnnlm.runs.failure import may_be_a_neighbours, reason


def test_an_exception_is_its_kind_and_its_first_line() -> None:
    assert reason(ValueError("one\ntwo")) == "ValueError: one"
    assert reason(KeyError()) == "KeyError: "


def test_memory_that_pytorch_cannot_have_is_called_so() -> None:
    with pytest.raises(RuntimeError) as raised:
        torch.empty(2**50)
    assert reason(raised.value).startswith("out of memory (")
    for error in (
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB."),
        OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)),
    ):
        assert reason(error).startswith("out of memory (")
        assert "a smaller data.batch_size" in reason(error)


def test_a_full_disk_is_called_so() -> None:
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "last.ckpt")
    assert reason(error).startswith("the disk of last.ckpt is full")
    assert reason(OSError(errno.ENOSPC, "")).startswith("the disk is full")
    assert reason(FileNotFoundError(errno.ENOENT, "No such file", "x")).startswith("FileNotFound")


def test_only_where_a_gpu_is_shared_may_a_neighbour_have_caused_an_error_of_it() -> None:
    error = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
    assert [may_be_a_neighbours(error, runs) for runs in (None, 1, 2)] == [False, False, True]
    assert not may_be_a_neighbours(ValueError("CUDA"), 2)
