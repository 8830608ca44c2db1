"""A few small runs give the same metrics, curves, folder names and tables as the stored ones.

`RNNLM_RENEW_PINNED=1 pytest tests/pinned` writes the stored texts anew. Use it only for a change
that is meant to change numbers, and that says so. On the same kind of processor and with the same
version of PyTorch as the stored texts, every character must be equal. Elsewhere the last digits of
numbers differ, so about four digits are compared.
"""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

import pytest

from tests.pinned import runs

EXPECTED = Path(__file__).parent / "expected"
NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?")
# A sample goes on with other words where a number differs by a rounding.
DRAWN = re.compile(r'"sample": ".*"')


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pinned")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RNNLM_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        runs.make(made)
    return made


def test_nothing_has_changed_of_the_pinned_runs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {"machine.txt": runs.machine(), **runs.described(folder, capsys)}
    if os.environ.get("RNNLM_RENEW_PINNED") == "1":
        EXPECTED.mkdir(exist_ok=True)
        for name, text in texts.items():
            (EXPECTED / name).write_bytes(text.encode())
    expected = {path.name: path.read_bytes().decode() for path in EXPECTED.iterdir()}
    assert texts.keys() == expected.keys()
    if texts["machine.txt"] == expected["machine.txt"]:
        for name, text in texts.items():
            assert text == expected[name], name
        return
    for name in texts.keys() - {"machine.txt"}:
        assert_alike(texts[name], expected[name])


def assert_alike(text: str, expected: str) -> None:
    """Check that the words are the same, and the numbers to about four digits."""
    text, expected = DRAWN.sub("", text), DRAWN.sub("", expected)
    assert NUMBER.sub("#", text).split() == NUMBER.sub("#", expected).split()
    for one, other in zip(NUMBER.findall(text), NUMBER.findall(expected), strict=True):
        a, b = float(one.replace(",", "")), float(other.replace(",", ""))
        assert math.isclose(a, b, rel_tol=1e-3, abs_tol=1e-2)
