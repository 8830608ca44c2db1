"""rnnlm/runs/folder.py"""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnlm.config import Config
from rnnlm.runs.folder import free_folder
from tests.conftest import ROOT
from tests.conftest import composed as compose
from tests.support.records import record
from tests.support.runs import spec_of


def folder(config: Config, *identity: str) -> str:
    return str(spec_of(config, *identity).folder.relative_to(config.output_dir))


def test_a_run_with_the_defaults_is_named_by_what_it_is() -> None:
    config = compose("data=tang", "features=onehot", "seed=3")
    assert folder(config) == "tang/lstm-onehot/seed3"


def test_what_differs_from_the_defaults_is_read_in_the_first_part() -> None:
    assert folder(compose("optimizer.lr=0.01")) == "time_machine,optimizer.lr=0.01/lstm-embed/seed1"
    long = folder(compose("optimizer.lr=0.01", "trainer.max_epochs=3", "model.hidden_size=64"))
    first, rest = long.split("/", 1)
    assert first.startswith("time_machine,")
    assert len(first) == len("time_machine,") + 8
    assert rest == "lstm-embed/seed1"


def test_the_cells_of_a_grid_share_the_first_part() -> None:
    shared = ("model.num_parameters=100000", "trainer.max_epochs=3")
    firsts = {
        folder(compose(f"model={model}", f"features={kind}", *shared)).split("/")[0]
        for model in ("rnn", "gru")
        for kind in ("embed", "onehot")
    }
    assert len(firsts) == 1


def test_a_text_that_is_no_sample_is_told_by_its_hash() -> None:
    config = compose("data.source=my.txt")
    assert folder(config) == "time_machine,text=01234567/lstm-embed/seed1"
    assert folder(config, "fedcba9876543210") != folder(config)


def test_what_decides_no_result_has_no_part_in_it() -> None:
    assert folder(compose("logger=csv", "force=true", "runs_per_gpu=2")) == folder(compose())


def test_a_baseline_needs_no_features_no_seed_and_no_options_of_training() -> None:
    plain = folder(compose("model=kneser_ney"))
    assert plain == "time_machine/kneser_ney"
    for override in ("features=onehot", "seed=7", "optimizer.lr=0.5", "data.seq_len=32"):
        assert folder(compose("model=kneser_ney", override)) == plain
    assert folder(compose("model=kneser_ney", "model.hidden_size=64")) == plain
    assert folder(compose("model=kneser_ney", "data.min_count=1")) != plain
    assert folder(compose("model=kneser_ney", "model.order=3")) != plain


def test_a_folder_of_another_versions_run_is_left_to_it(tmp_path: Path) -> None:
    config = compose(f"output_dir={tmp_path}")
    spec = spec_of(config)
    record(fingerprint=spec.fingerprint).write(spec.folder)
    assert spec_of(config) == spec
    record(fingerprint="b" * 16).write(spec.folder)
    assert spec_of(config).folder.name == f"seed1-{spec.fingerprint[:8]}"
    assert free_folder(spec.folder, "b" * 16) == spec.folder


@pytest.mark.parametrize("path", sorted((ROOT / "conf/experiment").glob("*.yaml")), ids=str)
def test_every_preset_has_a_name_that_a_file_can_have(path: Path) -> None:
    (first, *_) = folder(compose(f"experiment={path.stem}")).split("/")
    assert len(first) < 70
