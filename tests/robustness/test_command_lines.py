"""Bad command lines of `run.py`: each ends in one line and status 2, or is carried out.

The lines are mutations of good ones and random pieces of Hydra's syntax, with fixed seeds. Runs are
planned but not trained.
"""

from __future__ import annotations

import contextlib
import logging
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rnnlm.sweep import sweep
from rnnlm.sweep.command_line import COMPLETED_STATUS, FAILED_STATUS, USAGE_STATUS, main
from rnnlm.sweep.worker import run_one
from tests.conftest import ROOT, Run

CAMPAIGNS, LINES_OF_A_CAMPAIGN = 8, 80
SECONDS_TO_ANSWER = 10.0

GOOD = [
    ["model=gru", "features=onehot", "seed=3"],
    ["-m", "model=rnn,lstm", "features=embed,onehot", "seed=1,2"],
    ["data=tang", "data.source=sample", "data.batch_size=4", "trainer.max_epochs=2"],
    ["-m", "experiment=time_machine_grid", "model.hidden_size=8", "optimizer.lr=1e-3,1e-2"],
    ["data=addition", "data.num_sums=300", "samples.prompts=[12+3,4+5]", "logger=csv"],
    ["-m", "hydra/launcher=parallel", "hydra.launcher.runs_at_once=2", "seed=range(1,4)"],
    ["-m", "hydra/sweeper=optuna", "hydra.sweeper.n_trials=2", "optimizer.lr=interval(1e-4,1e-2)"],
    ["logger.tensorboard.name=x", "output_dir=out", "++trainer.precision=32-true", "~logger.csv"],
    ["--cfg", "job", "model=gru"],
    ["--help", "data=tang"],
    ["--info", "defaults", "model=rnn"],
]
PIECES = [
    *"=,()[]{}'\"\\:~+@/.$%*?|<>&;#!^` \t\n",
    *("${", "}", "${seed}", "${oc.env:HOME}", "${nope}", "${a:${b}}", "???", "null", "true", "-1"),
    *("1e400", "nan", "inf", "9" * 5000, "0x10", "1_0", "１", "١", "-0", "1e-400", ".", "..", "~"),
    *("choice(", "range(1,3)", "range(3,1)", "interval(1,2)", "glob(*)", "sort(", "tag(a,", "str("),
    *("_target_", "{_target_:os.getcwd}", "os.system", "__class__", "hydra", "春", "é", "😀", "Α"),
    *("\u200b", "\ufeff", "\udcff", "\u202e", "ﬁ", "data", "model", "seed", "hydra/launcher", "x"),
]
NUMBERS = ["0", "-1", "99999999999999999999", "1" * 400, "1.5", "nan", "1e999", "", "[1]", "{a:1}"]
OPTIONS = [
    *("seed", "output_dir", "force", "model.hidden_size", "model.num_parameters", "model.dropout"),
    *(
        "model.num_layers",
        "features.embedding_size",
        "data.source",
        "data.batch_size",
        "data.level",
    ),
    *(
        "data.seq_len",
        "data.max_chars",
        "data.min_count",
        "data.validation_fraction",
        "optimizer.lr",
    ),
    *(
        "optimizer.schedule",
        "trainer.max_epochs",
        "trainer.max_time",
        "trainer.precision",
        "logger",
    ),
    *("samples.prompts", "samples.length", "adaptation.cache", "early_stopping.patience", "model"),
    *("hydra.launcher.runs_at_once", "hydra.sweeper.n_trials", "hydra.sweep.dir", "experiment"),
    *("logger.csv._target_", "logger.tensorboard.flush_secs", "hydra/launcher", "hydra/sweeper"),
    *("hydra.output_subdir", "hydra.searchpath", "hydra.verbose", "epochs", "lr", "bptt", "nhid"),
]


def mutated(rng: random.Random, argument: str) -> str:
    """Return the argument with some characters deleted, doubled, replaced or added."""
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(argument) + 1)
        piece = rng.choice(PIECES)
        match rng.randrange(4):
            case 0:
                argument = argument[:place] + argument[place + 1 :]
            case 1:
                argument = argument[:place] + piece + argument[place + 1 :]
            case 2:
                argument = argument[:place] + piece + argument[place:]
            case _:
                argument = argument[:place] + argument[: rng.randint(0, 8)] + argument[place:]
    return argument.replace("\0", "")


def bad_lines(seed: int) -> Iterator[list[str]]:
    """Yield command lines; few of them are good."""
    rng = random.Random(seed)
    while True:
        kind = rng.randrange(4)
        if kind == 0:
            line = list(rng.choice(GOOD))
            place = rng.randrange(len(line))
            line[place] = mutated(rng, line[place])
        elif kind == 1:
            value = "".join(rng.choice(PIECES) for _ in range(rng.randint(1, 4)))
            line = [f"{rng.choice(OPTIONS)}={value}"]
        elif kind == 2:
            line = [f"{rng.choice(['', '', '+', '++', '~'])}{rng.choice(OPTIONS)}"]
            line[0] += f"={rng.choice(NUMBERS)}"
        else:
            line = ["".join(rng.choice(PIECES) for _ in range(rng.randint(1, 5)))]
        if rng.random() < 0.3 and "-m" not in line:
            line.insert(0, "-m")
        yield line


@pytest.fixture
def planned_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Carry command lines out only up to the launch of runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sweep, "carry_out", lambda runs, launcher: None)


@contextlib.contextmanager
def logging_as_before() -> Iterator[None]:
    """Restore the logging that Hydra changes: its handlers write to streams that close later."""
    loggers = [logging.getLogger(name) for name in (None, "hydra")]
    before = [(list(logger.handlers), logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(CAMPAIGNS))
def test_a_bad_command_line_ends_in_one_line(
    seed: int,
    planned_only: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = bad_lines(seed)
    refused = 0
    for _ in range(LINES_OF_A_CAMPAIGN):
        line = next(lines)
        monkeypatch.setattr(sys, "argv", ["run.py", *line])
        began = time.process_time()
        with logging_as_before():
            status = main(run_one, ROOT / "conf", "config")
        taken = time.process_time() - began
        output = capsys.readouterr()
        assert taken < SECONDS_TO_ANSWER, line
        # A good line runs nothing here. So it fails, or it only answers a question such as --help.
        assert status in (USAGE_STATUS, FAILED_STATUS, COMPLETED_STATUS), line
        assert output.err.count("\n") == (status == USAGE_STATUS), (line, output.err)
        assert "Traceback" not in output.out, line
        refused += status == USAGE_STATUS
    assert refused > LINES_OF_A_CAMPAIGN / 2


REAL = [
    ["=1"],
    ["-m", "seed=range(3,1)"],
    ["seed=" + "9" * 5000],
    ["--epochs", "3"],
    ["+logger.x=5"],
    ["--info", "config", "nosuch=1"],
    ["samples.prompts=春"],
]


@pytest.mark.slow
def test_the_command_itself_says_so_in_one_line(run_py: Run, tmp_path: Path) -> None:
    for line in REAL:
        result = run_py(*line)
        assert (result.returncode, result.stdout) == (USAGE_STATUS, ""), line
        assert result.stderr.count("\n") == 1, (line, result.stderr)
    assert not list(tmp_path.iterdir())
