"""rnnlm/sweep/launchers/launcher.py: a wrong launcher or option is refused at once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from tests.support.refusals import Refusal

REFUSED = {
    "hydra.launcher.runs_at_once=-1": "hydra.launcher.runs_at_once: -1 is out of range",
    "hydra.launcher.runs_at_once=0": "hydra.launcher.runs_at_once: 0 is out of range",
    "hydra.launcher.runs_at_once=abc": "hydra.launcher.runs_at_once: Value 'abc'",
    "hydra.launcher.runs_at_once=[1]": "hydra.launcher.runs_at_once: Value '[1]'",
    "hydra.launcher.runs_at_once=1.5": "hydra.launcher.runs_at_once: Value '1.5'",
    "hydra.launcher.runs_at_once=true": "hydra.launcher.runs_at_once: Value 'True'",
    "+hydra.launcher.nosuch=1": "hydra.launcher.nosuch: no such option, it takes runs_at_once",
    "hydra.launcher._target_=nosuch": "hydra.launcher._target_: 'nosuch' is no launcher",
    "hydra.launcher._target_=rnnlm.runs.run.train": (
        "hydra.launcher._target_: 'rnnlm.runs.run.train' is"
    ),
    "hydra.launcher=nosuch": "hydra.launcher: a choice is typed hydra/launcher=nosuch",
    "hydra.launcher=null": "hydra.launcher: a choice is typed hydra/launcher=None",
    "hydra/launcher=basic +hydra.launcher.nosuch=1": "hydra.launcher: 'hydra._internal.core_plu",
}


@pytest.mark.parametrize("overrides", REFUSED)
def test_a_wrong_launcher_is_refused_in_one_line(
    overrides: str, refusal: Refusal, tmp_path: Path
) -> None:
    assert refusal("-m", "seed=1,2", *overrides.split()).startswith(REFUSED[overrides])
    assert not list(tmp_path.iterdir())


def test_an_extra_that_is_not_installed_is_named(
    refusal: Refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "submitit", None)
    monkeypatch.delitem(sys.modules, "rnnlm.sweep.launchers.slurm", raising=False)
    assert refusal("hydra/launcher=slurm") == (
        "hydra/launcher: slurm needs the extra of that name, pip install -e '.[slurm]'\n"
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU on this machine")
def test_a_run_on_this_machine_is_refused_a_gpu_that_it_has_not(refusal: Refusal) -> None:
    said = "trainer.accelerator: gpu is not on this machine; auto or cpu is\n"
    for launcher in ("auto", "basic"):
        assert refusal("-m", f"hydra/launcher={launcher}", "seed=1,2", "trainer=gpu") == said
    assert refusal("trainer.precision=16-mixed").startswith("trainer.precision: 16-mixed needs a")
