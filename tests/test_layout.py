"""The listing of rnnlm/ explains itself; which package imports which is checked by lint-imports."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

from tests.conftest import ROOT

PACKAGE = ROOT / "rnnlm"
README = (ROOT / "README.md").read_text(encoding="utf-8")
MOST_AT_THE_ROOT, MOST_FILES_TO_THE_LOSS = 8, 9


def modules(folder: Path, pattern: str) -> list[str]:
    return sorted(path.name for path in folder.glob(pattern))


def test_few_modules_stand_at_the_root() -> None:
    assert len(modules(PACKAGE, "*.py")) <= MOST_AT_THE_ROOT


def test_a_name_stands_for_one_module() -> None:
    counts = Counter(modules(PACKAGE, "**/*.py"))
    # Each part of a run has options of its own.
    shared = {"__init__.py", "options.py"}
    assert [name for name, count in counts.items() if count > 1 and name not in shared] == []


def test_the_readme_has_a_row_for_each_package() -> None:
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    rows = re.findall(r"^\| `rnnlm/(\w+)/`", README, re.MULTILINE)
    assert sorted(rows) == sorted(packages)


def test_the_way_from_the_command_to_the_loss_is_short_and_as_the_readme_says() -> None:
    way = README.split("From the command to the loss: ")[1].split(". ")[0]
    files = re.findall(r"`([\w/]+\.py)`", way)
    assert files[0] == "run.py"
    assert len(files) <= MOST_FILES_TO_THE_LOSS
    for name, following in pairwise(files):
        package, _, module = following.removesuffix(".py").replace("/", ".").rpartition(".")
        text = (ROOT / name).read_text(encoding="utf-8")
        assert re.search(rf"from {package}(\.{module} import|.* import .*\b{module}\b)", text), name
