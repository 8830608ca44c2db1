"""CONTRIBUTING.md: its recipes, followed to the letter in a copy of the project."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT, TINY

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return CONTRIBUTING.split(f"### {title}\n")[1].split("\n## ")[0].split("\n### ")[0]


def test_the_recipes_are_short() -> None:
    assert len(section("Add a corpus").strip().splitlines()) <= 15
    assert len(section("Add a cell").strip().splitlines()) <= 18


def test_what_the_table_names_is_there() -> None:
    for name in re.findall(r"`((?:rnnlm|conf)/[\w/.]+)`", CONTRIBUTING):
        if "NAME" not in name and "proverbs" not in name and "mgu" not in name:
            assert (ROOT / name).exists(), name


def test_a_corpus_and_a_cell_are_added_as_described(tmp_path: Path, text_file: Path) -> None:
    for name in ("rnnlm", "conf", "run.py"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    for title in ("Add a corpus", "Add a cell"):
        text = section(title)
        (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        ((yaml_path, yaml),) = re.findall(r"`(conf/[\w/]+\.yaml)`: `(defaults: .*?)`", text)
        module = tmp_path / re.findall(r"`(rnnlm/[\w/]+\.py)`", text)[0]
        before = module.read_text(encoding="utf-8") if module.exists() else ""
        module.write_text(f"{before}\n\n{code}", encoding="utf-8")
        (tmp_path / yaml_path).write_text(yaml, encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "run.py", "data=proverbs", f"data.source={text_file}", "model=mgu", *TINY],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert re.search(r"^\* proverbs .* mgu ", result.stdout, re.MULTILINE), result.stdout
