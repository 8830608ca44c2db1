"""rnnlm/runs/spec.py."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import rnnlm
from rnnlm.options import OptionError
from tests.conftest import composed as compose
from tests.support.runs import spec_of


def fingerprint(*overrides: str, identity: str = "0123456789abcdef") -> str:
    return spec_of(compose(*overrides), identity).fingerprint


@pytest.mark.parametrize(
    "override",
    ["seed=2", "model.hidden_size=8", "data.seq_len=8", "trainer.max_epochs=2", "optimizer=sgd"],
)
def test_the_fingerprint_changes_with_what_affects_the_result(override: str) -> None:
    assert fingerprint(override) != fingerprint()


@pytest.mark.parametrize(
    "override",
    ["output_dir=x", "force=true", "trainer.enable_progress_bar=false", "logger=csv"],
)
def test_the_fingerprint_stays_with_what_does_not(override: str) -> None:
    assert fingerprint(override) == fingerprint()


def test_the_fingerprint_is_of_the_text_and_not_of_its_path() -> None:
    assert fingerprint("data.source=here.txt") == fingerprint("data.source=there.txt")
    assert fingerprint() != fingerprint(identity="another text")


@pytest.mark.parametrize("name", ["fingerprint", "setting_name", "free_folder"])
def test_what_identifies_a_run_is_computed_in_one_place(name: str) -> None:
    callers = [
        path.name
        for path in Path(rnnlm.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]
    assert callers == ["spec.py"]


def test_a_package_asks_twice_at_most_whether_a_model_is_a_baseline() -> None:
    asking = [
        path.name
        for path in Path(rnnlm.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "is_baseline"
    ]
    assert sorted(asking) == ["run.py", "spec.py"]


def test_a_network_has_the_sizes_of_its_budget_and_its_adaptation_variants() -> None:
    options = ("model.num_parameters=50000", "adaptation.cache=10", "adaptation.dynamic=true")
    spec = spec_of(compose("model=gru", "seed=3", *options))
    assert spec.options["model.hidden_size"] == spec.config.model.hidden_size != 256
    assert (spec.features, spec.seed, spec.precision) == ("embed", 3, "32-true")
    assert spec.name == "time_machine gru-embed seed 3"
    assert [folder.name for folder in spec.variant_folders.values()] == [
        "dynamic",
        "cache=10",
        "dynamic+cache=10",
    ]


def test_a_baseline_has_neither_features_nor_seed_and_is_not_adapted() -> None:
    options = ("trainer.accelerator=auto", "adaptation.cache=10", "model.num_parameters=1")
    spec = spec_of(compose("model=kneser_ney", "features=onehot", "seed=3", *options))
    assert (spec.features, spec.seed, spec.precision, spec.accelerator) == (None,) * 3 + ("cpu",)
    assert spec.variant_folders == {}
    assert spec.name == "time_machine kneser_ney"
    record = spec.new_record()
    assert (record.overrides, record.options) == (["typed=1"], spec.options)
    assert {name.partition(".")[0] for name in spec.options} == {"data", "model"}


def test_only_an_embedding_can_be_tied() -> None:
    for width in (32, 31):
        options = ("model.hidden_size=32", f"features.embedding_size={width}")
        config = compose(*options, "model.tie_weights=true")
        assert spec_of(config).config.model.tie_weights
    with pytest.raises(OptionError, match="only features=embed"):
        spec_of(compose("features=onehot", "model.tie_weights=true"))
    spec_of(compose("model=unigram", "features=onehot", "model.tie_weights=true"))
