"""rnnlm/runtime.py"""

from __future__ import annotations

import hashlib
import os
import platform
import resource
import subprocess
import sys

import pytest
import torch

from rnnlm.model.cells import cells
from rnnlm.model.features import EmbedConfig
from rnnlm.model.language_model import LanguageModel

MEGABYTE, PAGE = 2**20, resource.getpagesize()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library decides itself")
def test_freed_memory_is_used_again() -> None:
    script = f"""
import resource, torch
from rnnlm.runtime import prepare_process
prepare_process()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def use():
    torch.ones({64 * MEGABYTE // 4})
# The first few find room beside what is small.
for _ in range(20):
    use()
before = faults()
for _ in range(10):
    use()
print(faults() - before)
"""
    command = [sys.executable, "-c", script]
    faults = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    # Without it there is one for each page of each of the ten: 163,840.
    assert int(faults) < 64 * MEGABYTE // PAGE


def gradients(cell: str, threads: int) -> str:
    """A hash of what a step of training computes."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    config = cells()[cell].Config(name=cell, hidden_size=256)
    model = LanguageModel(78, config, EmbedConfig("embed"))
    inputs_TB, targets_TB = torch.randint(78, (2, 64, 32))
    model.nats(inputs_TB, targets_TB)[0].backward()
    digest = hashlib.sha256()
    for parameter in model.parameters():
        assert parameter.grad is not None
        digest.update(parameter.grad.numpy().tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize("cell", cells())
def test_a_step_is_the_same_on_one_thread_and_on_two(cell: str) -> None:
    before = torch.get_num_threads()
    try:
        assert gradients(cell, 1) == gradients(cell, 2)
    finally:
        torch.set_num_threads(before)


def test_the_first_step_of_a_process_is_that_of_any_other() -> None:
    script = """
from rnnlm.runtime import prepare_process
from tests.test_runtime import gradients
prepare_process()
print(gradients('lstm', 2))
"""

    command = [sys.executable, "-c", script]
    # One after the other: a machine that has other work hides what may differ.
    first_steps = {
        subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(6)
    }
    assert len(first_steps) == 1


def test_what_the_user_has_set_stays() -> None:
    script = "from rnnlm.runtime import prepare_process; import os; prepare_process()"
    command = [sys.executable, "-c", script + "; print(os.environ['MKL_CBWR'])"]
    environment = {**os.environ, "MKL_CBWR": "COMPATIBLE"}
    result = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    assert result.stdout.strip() == "COMPATIBLE"
