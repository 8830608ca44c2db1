"""rnnlm/config.py and every file of conf/."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from pathlib import Path

import pytest
from omegaconf import OmegaConf
from pytorch_lightning import Trainer

from rnnlm.config import Config, group_schemas, no_such_option, option_meant_by
from rnnlm.messages.familiar_names import FAMILIAR_NAMES
from rnnlm.options import OptionError
from rnnlm.training.trainer import TrainerConfig
from tests.conftest import ROOT
from tests.conftest import composed as compose

CONF = ROOT / "conf"


def choices(group: str) -> set[str]:
    return {path.stem for path in (CONF / group).glob("*.yaml")}


@pytest.mark.parametrize(("group", "known"), group_schemas().items())
def test_every_class_has_its_yaml_and_every_yaml_its_class(
    group: str, known: dict[str, type]
) -> None:
    # Several files may build on the schema of one class, such as `wide` and `embed`.
    built_on = {
        re.findall(r"schema/(\w+)@_here_", path.read_text(encoding="utf-8"))[0]
        for path in (CONF / group).glob("*.yaml")
    }
    assert built_on == set(known) <= choices(group)


@pytest.mark.parametrize("path", sorted(CONF.glob("*/*.yaml")), ids=lambda path: str(path.stem))
def test_every_choice_composes(path: Path) -> None:
    group = path.parent.name
    compose(f"{group}={path.stem}")


@pytest.mark.parametrize("path", sorted(CONF.glob("*/*.yaml")), ids=lambda path: str(path.stem))
def test_yaml_states_only_what_differs_from_the_schema(path: Path) -> None:
    group = path.parent.name
    if group in ("logger", "experiment"):
        return
    default = OmegaConf.structured(Config)
    if not OmegaConf.is_missing(default, group):
        # A file states the name of its choice; everything else differs from the schema.
        stated = {k: v for k, v in OmegaConf.load(path).items() if v != path.stem}
        assert all(str(default[group][name]) != str(value) for name, value in stated.items())


def test_trainer_options_carry_lightnings_names() -> None:
    known = set(inspect.signature(Trainer).parameters)
    known.add("float32_matmul_precision")  # PyTorch's, torch.set_float32_matmul_precision
    assert {field.name for field in fields(TrainerConfig)} <= known


def test_options_arrive_typed() -> None:
    config = compose("model=rnn", "model.nonlinearity=relu", "features=onehot", "seed=0")
    assert config.model.name == "rnn"
    assert config.seed == 0
    assert type(config.model).__name__ == "RNNConfig"


@pytest.mark.parametrize(
    "override",
    [
        "optimizer.momentum=0.9",
        "+model.extra=1",
        "+extra=1",
        "data.name=nope",
        "model.name=nope",
        "trainer.accelerator=mps",
    ],
)
def test_what_no_part_understands_is_refused(override: str) -> None:
    with pytest.raises(OptionError, match=override.strip("+").split("=")[0]):
        compose(override)


def test_an_average_begins_within_the_run() -> None:
    options = ("optimizer.averaging=equal", "trainer.max_epochs=5")
    assert compose(*options, "optimizer.averaging_start=4").optimizer.averaging_start == 4
    with pytest.raises(OptionError, match="5 is not before"):
        compose(*options, "optimizer.averaging_start=5")


def test_a_name_that_others_use_leads_to_an_option_of_ours() -> None:
    groups = {path.name for path in CONF.iterdir() if path.is_dir()}
    for ours, theirs in FAMILIAR_NAMES.items():
        group, _, choice = ours.partition("=")
        if choice:
            assert (CONF / group / f"{choice.split()[0]}.yaml").is_file()
        else:
            assert ours in groups or str(no_such_option(ours)).endswith("has no such option")
        assert all(option_meant_by(name) is not None for name in theirs.split())
    for typed, meant in {
        "epochs": "trainer.max_epochs",
        "trainer.epochs": "trainer.max_epochs",
        "learning-rate": "optimizer.lr",
        "hidden_size": "model.hidden_size",
        "training.batch_size": "data.batch_size",
        "model.hiden_size": "model.hidden_size",
        "batchsize": "data.batch_size",
    }.items():
        assert option_meant_by(typed) == meant
    assert option_meant_by("zzz") is None


def test_the_home_folder_is_where_results_may_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somebody")
    assert compose("output_dir='~/runs'").output_dir == "/somebody/runs"
