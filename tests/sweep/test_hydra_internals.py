"""rnnlm/sweep/hydra_internals.py."""

from __future__ import annotations

import hydra
import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf

from rnnlm.config import register_schemas
from rnnlm.sweep.hydra_internals import Composer
from rnnlm.sweep.launchers.options import register_launcher_options
from tests.conftest import ROOT

CELLS = [
    [],
    ["model=rnn", "seed=3", "model.hidden_size=7"],
    ["model.hidden_size=7", "model=rnn", "seed=4"],
    ["model=rnn", "model=gru", "seed=4", "seed=5"],
    ["experiment=addition", "model=gru", "optimizer.lr=0.5"],
    ["optimizer.lr=0.5", "experiment=addition"],
    ["data=tang", "data.source='a, b = {c}.txt'", "logger=csv"],
    ["optimizer=sgd", "trainer.gradient_clip_val=null", "optimizer.lr=${seed}"],
    ["++seed=9", "model.num_layers=2"],
]


def test_a_cell_is_composed_as_hydra_composes_it() -> None:
    register_schemas()
    register_launcher_options()
    with hydra.initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        master = loader.load_configuration("config", ["model=lstm"], RunMode.MULTIRUN)
        composer = Composer(loader, master)
        for cell in CELLS * 2:
            expected = loader.load_sweep_config(master, cell)
            OmegaConf.set_struct(expected, False)
            del expected["hydra"]
            composed = composer.compose(cell)
            assert composed == expected
            assert OmegaConf.get_type(composed.model) is OmegaConf.get_type(expected.model)


@pytest.mark.parametrize(
    "bad", ["model.nope=1", "seed=[", "seed=one", "nope=1", "model=nope", "model@x=rnn"]
)
def test_what_hydra_refuses_is_refused(bad: str) -> None:
    register_schemas()
    register_launcher_options()
    with hydra.initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        master = loader.load_configuration("config", [], RunMode.MULTIRUN)
        with pytest.raises(HydraException):
            Composer(loader, master).compose(["model=rnn", bad])
