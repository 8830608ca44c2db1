"""rnnlm/sweep/command_line.py: output seen through the real process or main."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rnnlm.sweep.command_line import COMPLETED_STATUS, USAGE_STATUS, main
from rnnlm.sweep.worker import run_one
from tests.conftest import ROOT, TINY, Run
from tests.support.refusals import Refusal

REFUSED = {
    # a wrong key
    "model.hiden_size=3": "model.hiden_size: no such option, did you mean model.hidden_size?",
    "modle=lstm": "modle: no such option, did you mean model?",
    "model.nonlinearity=relu": "model.nonlinearity: the chosen model has no such option",
    "+extra=1": "extra: no such option",
    "epochs=3": "epochs: no such option, did you mean trainer.max_epochs?",
    "lr=0.1": "lr: no such option, did you mean optimizer.lr?",
    "gpu=1": "gpu: no such option, did you mean trainer=gpu?",
    "training.batch_size=4": "training.batch_size: no such option, did you mean data.batch_size?",
    "+seed=1": "seed: the option exists, set it without the +",
    "~nope": "nope: no such option",
    # a wrong type
    "samples.prompts=春": "samples.prompts: it takes a list, which is typed [one,two]",
    "seed=" + "9" * 5000: "seed: Value '99999",
    "data.source=???": "data.source: ??? is no value",
    "logger.csv._target_=nosuch": "logger.csv._target_: 'nosuch' cannot be imported",
    "+logger.x=5": "logger.x: 5 is no logger, which has a class as its _target_",
    "logger.tensorboard.default_hp_metric=x": "logger.tensorboard.default_hp_metric: x: expected",
    "+hydra.sweeper.nosuch=1": "hydra.sweeper.nosuch: no such option, there are max_batch_size,",
    "seed=one": "seed: Value 'one' of type 'str' could not be converted to Integer",
    "model.hidden_size=1.5": "model.hidden_size: Value '1.5' of type 'float'",
    "data.source=null": "data.source: field 'data.source' is not Optional",
    "trainer.max_epochs=null": "trainer.max_epochs: field 'trainer.max_epochs' is not Optional",
    # a wrong choice
    "model=transformer": "model: 'transformer' is not one of bz2, gru, kneser_ney, lstm, rnn, u",
    "experiment=nope": "experiment: 'nope' is not one of",
    "hydra/launcher=nope": "hydra/launcher: 'nope' is not one of",
    "data.normalize=nope": "data.normalize: Invalid value 'nope', expected one of [none, letters]",
    "trainer.precision=8": "trainer.precision: '8' is not one of",
    # an impossible value
    "model.hidden_size=-1": "model.hidden_size: -1 is out of range, it takes at least 1",
    "model.dropout=1.5": "model.dropout: 1.5 is out of range",
    "optimizer.lr=nan": "optimizer.lr: nan is not a finite number",
    "data.seq_len=1000000": "data.seq_len: 1000000 is longer than the training text",
    "data.batch_size=100000": "data.batch_size: 100000 streams of data.seq_len=64 need more",
    "data.validation_fraction=0.95": "data.validation_fraction: with data.test_fraction",
    "data.min_count=1000000": "data.min_count: 1000000 leaves no token",
    "data.source=no/such.txt": "data.source: no file no/such.txt",
    "data.source=.": "data.source: the folder . holds no *.txt",
    "model.num_parameters=99999999999999999999": "model.num_parameters: 99999999999999999999 is",
    "output_dir=": "output_dir: it is empty, a folder is needed",
    "output_dir=/dev/null/x": "output_dir: /dev/null/x cannot be made",
    "data.source=": "data.source: it is empty",
    "trainer.max_steps=0": "trainer.max_steps: 0 is no training",
    "trainer.max_time=soon": "trainer.max_time: 'soon' is not of the form DD:HH:MM:SS",
    "trainer.min_epochs=50": "trainer.min_epochs: 50 is more than max_epochs",
    "trainer.check_val_every_n_epoch=50": "trainer.check_val_every_n_epoch: 50 is more than",
    "model=null": "model: null is not one of bz2, gru, kneser_ney, lstm, rnn, unigram, xz",
    "hydra.sweep.dir=elsewhere": "hydra.sweep.dir: a run's folder follows from its options",
    # not an override at all
    "lstm": "lstm: not an override, it takes option=value",
    "=1": "=1: not an override, it takes option=value",
    "data.source=小,说": "data.source: 小,说 is several values, add -m to sweep them",
    "model=rnn,lstm": "model: rnn,lstm is several values, add -m to sweep them",
    "~model": "model: Structured config",
    "seed=${nope}": "seed: Interpolation key 'nope' not found",
    "seed=${": "seed: the part between ${ and } cannot be read",
    "seed=choice()": "seed=choice(): ValueError while evaluating 'choice()': empty choice is not",
}


@pytest.mark.parametrize("override", REFUSED)
def test_what_cannot_run_is_refused_in_one_line(override: str, refusal: Refusal) -> None:
    assert refusal(override).startswith(REFUSED[override])


def test_one_impossible_cell_stops_the_sweep_before_the_first(run_py: Run, tmp_path: Path) -> None:
    result = run_py("-m", "model=rnn,lstm", "model.hidden_size=16,0", *TINY[1:])
    assert result.returncode == USAGE_STATUS
    assert result.stderr == "model.hidden_size: 0 is out of range, it takes at least 1\n"
    assert not list(tmp_path.rglob("result.json"))


FLAGS = {
    "--nope": "unrecognized arguments: --nope",
    "--epochs 3": "did you mean trainer.max_epochs?; options are typed option=value",
    "--cfg nosuch": "invalid choice: 'nosuch'",
    "--cfg job --package nosuch": "package 'nosuch' not found in config",
    "--help nosuch=1": "nosuch: no such option",
    "--info config nosuch=1": "nosuch: no such option",
    "--shell-completion nosuch": "--shell-completion: Expecting one subcommand",
    "--experimental-rerun x": "--experimental-rerun: it is not needed, type the same command again",
    "--config-dir nosuch": "--config-dir: there is no folder nosuch",
    "--config-name nosuch": "--config-name: there is no nosuch.yaml in conf/",
    "--config-path nosuch": "--config-path: conf/ is always read",
    "--run --multirun": "--run: it cannot be given with --multirun",
    "--resolve": "--resolve: it goes with --cfg or --help",
    "-m hydra/sweeper=optuna hydra.sweeper.n_trials=0": "hydra.sweeper.n_trials: 0 is out of range",
}


@pytest.mark.parametrize("line", FLAGS)
def test_wrong_flags_are_refused_in_one_line(line: str, refusal: Refusal) -> None:
    if "optuna" in line:
        pytest.importorskip("optuna")
    assert FLAGS[line] in refusal(*line.split())


def test_a_folder_of_ones_own_adds_choices(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "试验.yaml").write_text("# @package _global_\nseed: 17\n")
    line = ["--config-dir", str(tmp_path), "--cfg", "job", "experiment=试验"]
    monkeypatch.setattr(sys, "argv", ["run.py", *line])
    assert main(run_one, ROOT / "conf", "config") == COMPLETED_STATUS
    assert "seed: 17" in capsys.readouterr().out


@pytest.mark.parametrize("flag", ["--help", "--cfg=job"])
def test_questions_are_answered(flag: str, run_py: Run) -> None:
    result = run_py(flag)
    assert result.returncode == 0
    assert result.stderr == ""
    assert "hidden_size: 256" in result.stdout


def test_hydra_full_error_gives_the_traceback(run_py: Run) -> None:
    result = run_py("seed=one", HYDRA_FULL_ERROR="1")
    assert result.returncode != 0
    assert "Traceback" in result.stderr
