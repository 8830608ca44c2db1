"""rnnlm/sweep/plan.py."""

from __future__ import annotations

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode

from rnnlm.config import register_schemas
from rnnlm.sweep.launchers.options import register_launcher_options
from rnnlm.sweep.plan import grid
from tests.conftest import ROOT


def grid_of(*arguments: str, multirun: bool = True) -> list[list[str]]:
    register_schemas()
    register_launcher_options()
    with hydra.initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        master = loader.load_configuration("config", list(arguments), RunMode.MULTIRUN)
        return grid(loader, master, arguments, multirun)


def test_a_grid_is_every_combination_of_the_values() -> None:
    assert grid_of() == [[]]
    assert grid_of("model=rnn,gru", "seed=range(1,3)", "data.seq_len=8") == [
        ["model=rnn", "seed=1", "data.seq_len=8"],
        ["model=rnn", "seed=2", "data.seq_len=8"],
        ["model=gru", "seed=1", "data.seq_len=8"],
        ["model=gru", "seed=2", "data.seq_len=8"],
    ]


def test_the_last_of_several_values_counts_and_an_interpolation_stays_as_typed() -> None:
    typed = 'model.dropout="${optimizer.lr}"'
    assert grid_of("seed=1,2", typed, "seed=3") == [["seed=3", typed]]


def test_the_command_line_replaces_what_a_preset_sweeps() -> None:
    preset = "experiment=lyrics_grid"
    swept = grid_of(preset, "model=rnn,gru")
    assert len(swept) == 4
    assert {run[0] for run in swept} == {"features=wide", "features=onehot"}
    assert grid_of(preset, "model=gru", "features=embed") == [
        [preset, "model=gru", "features=embed"]
    ]
    assert grid_of(preset, multirun=False) == [[preset]]
