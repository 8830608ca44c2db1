"""rnnlm/model/allocation.py"""

from __future__ import annotations

import platform
import resource
import subprocess
import sys

import pytest

MEGABYTE, PAGE = 2**20, resource.getpagesize()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library decides itself")
def test_freed_memory_is_used_again() -> None:
    script = f"""
import resource, torch, rnnlm.model
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
