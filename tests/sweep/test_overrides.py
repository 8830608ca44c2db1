"""rnnlm/sweep/overrides.py: sweeps that cannot be, and Hydra's own options."""

from __future__ import annotations

import hydra
import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser

from rnnlm.config import register_schemas
from rnnlm.options import OptionError
from rnnlm.sweep.launchers.options import register_launcher_options
from rnnlm.sweep.overrides import MOST_RUNS, check_grid, read_overrides
from tests.conftest import ROOT

REFUSED = {
    "seed=range(3,1)": "seed: range(3,1) has no value",
    "seed=range(1,3,0)": "seed: range(1,3,0) has a step of 0",
    "seed=range(0,inf)": "seed: range(0,inf) is not of three finite numbers",
    "seed=1,range(1,3)": "seed: 1,range(1,3): a sweep cannot stand inside a sweep",
    "samples.prompts=[choice(a,b)]": "samples.prompts: a sweep cannot stand inside a list or a map",
    "model=glob(zzz*)": "model: glob(zzz*) has no value, there are bz2, gru, kneser_ney, lstm",
    "data.max_chars=glob(*)": "data.max_chars: glob(*) works only for a group such as model",
    "optimizer.lr=interval(5,1)": "optimizer.lr: interval(5,1) is empty, its second number has",
    "experiment=null,nosuch": "experiment: 'nosuch' is not one of addition,",
    "model=[rnn,lstm]": "model: it takes one choice; to sweep several, type -m model=a,b",
    "logger=[csv,1]": "logger: 1 is not one of csv, default, mlflow, tensorboard, wandb",
    "~hydra/launcher=1.5": "hydra/launcher: 1.5 is no choice of it",
    "hydra=1": "hydra: this option of Hydra has no use here",
    "hydra.launcher=parallel": "hydra.launcher: a choice is typed hydra/launcher=parallel",
    "hydra.launcher.runs_at_once=1,2": "hydra.launcher.runs_at_once: Hydra's own options cannot be",
    "hydra.output_subdir=../x": "hydra.output_subdir: a run's folder follows from its options",
    "hydra.job_logging.root.level=NOSUCH": "hydra.job_logging.root.level: NOSUCH is not one of",
    "hydra.verbose=5": "hydra.verbose: 5 is not true, false or a logger's name",
    "hydra.searchpath=[/no/such]": "hydra.searchpath: no folder /no/such",
}
READ = ["-m", "model=rnn,lstm", "experiment=null,addition", "data=glob(ta*)", "seed=range(1,3)"]
READ = [*READ[1:], "optimizer.lr=interval(1e-4,1e-2)", "logger=[csv,tensorboard]", "~logger"]
READ += ["hydra/launcher=parallel", "hydra.launcher.runs_at_once=2", "hydra.verbose=true"]
READ += ["+hydra.callbacks.mine._target_=my_package.MyCallback"]


def read(*arguments: str, multirun: bool = True) -> list[str]:
    register_schemas()
    register_launcher_options()
    with hydra.initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        return read_overrides(arguments, GlobalHydra.instance().config_loader(), multirun)


@pytest.mark.parametrize("override", REFUSED)
def test_what_nobody_can_mean_is_refused(override: str) -> None:
    with pytest.raises(OptionError) as error:
        read(override)
    assert str(error.value).startswith(REFUSED[override])


def test_what_hydra_reads_is_left_as_it_is() -> None:
    assert read(*READ) == READ


def test_several_values_need_a_sweep() -> None:
    for override in ("model=rnn,lstm", "seed=range(1,3)", "seed=choice(1,2)"):
        with pytest.raises(OptionError, match=r"is several values, add -m to sweep them$"):
            read(override, multirun=False)
    with pytest.raises(OptionError, match=r"one value with a comma is typed 'seed=\"1,2\"'$"):
        read("seed=1,2", multirun=False)


def grid(*overrides: str) -> None:
    check_grid(OverridesParser.create().parse_overrides(list(overrides)))


def test_a_sweep_has_a_size_that_somebody_can_mean() -> None:
    grid(f"seed=range(0,{MOST_RUNS})")
    grid("seed=range(0,1,0.1)", f"seed=range({MOST_RUNS})", "model=lstm")
    for too_many in ("seed=range(0,1e9)", f"seed=range({10**400})", "seed=range(1,0,-1e-9)"):
        with pytest.raises(
            OptionError, match=r"^seed: range\(.* makes more than 100,000 runs, the most of a"
        ):
            grid("model=rnn,lstm", too_many)
    with pytest.raises(OptionError, match="makes more than 100,000 runs"):
        grid(f"seed=range({MOST_RUNS})", "model=rnn,lstm")


def test_an_interval_is_for_a_search() -> None:
    with pytest.raises(OptionError, match="is searched, not swept: add hydra/sweeper=optuna"):
        grid("optimizer.lr=interval(1e-4,1e-2)")
