"""README.md: its first line, pasted by someone who has just cloned the project."""

from __future__ import annotations

import csv
import os
import re
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = re.findall(r"^```bash\n(.*?)\n```$", README, flags=re.MULTILINE | re.DOTALL)


def test_the_first_line_sweeps_and_the_second_tests() -> None:
    first, second = LINES[:2]
    assert first.count("\n") == second.count("\n") == 0
    assert first.endswith("python run.py -m model=rnn,lstm,gru features=embed,onehot")
    assert second.endswith("&& pytest -n auto")


def test_the_readme_is_a_page_and_what_it_links_to_is_there() -> None:
    assert len(README.splitlines()) < 150
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_every_folder_of_conf_is_on_the_map() -> None:
    for folder in (ROOT / "conf").iterdir():
        if folder.is_dir() and folder.name != "hydra":
            assert f"`conf/{folder.name}/`" in README


@pytest.mark.slow
def test_the_first_line_works_in_a_fresh_clone(tmp_path: Path) -> None:
    clone = tmp_path / "rnnlm"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    environment = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")}
    result = subprocess.run(
        ["bash", "-c", LINES[0]],
        cwd=clone,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    with (clone / "outputs" / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    for row in rows:
        assert float(row["validation_ppl"]) < float(row["validation_unigram_ppl"])


# Of this project, which are to be pinned too.
EXTRAS = tuple(f"extra == {quote}{e}{quote}" for e in ("slurm", "optuna", "dev") for quote in "'\"")


def test_constraints_pin_everything_that_is_installed() -> None:
    pinned = {
        re.split("==", line)[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    at_hand = {d.name.lower().replace("_", "-") for d in metadata.distributions()}
    needed: set[str] = set()
    queue = ["rnnlm"]
    while queue:
        for requirement in metadata.requires(queue.pop()) or []:
            name = re.split(r"[\s;<>=!~\[(]", requirement)[0].lower().replace("_", "-")
            of_extra = "extra ==" in requirement and not requirement.endswith(EXTRAS)
            if not of_extra and name in at_hand and name not in needed | {"rnnlm"}:
                needed.add(name)
                queue.append(name)
    assert needed - pinned == set()
