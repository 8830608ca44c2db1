"""What the tests share: small texts, and how to run the real command."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import hydra
import pytest
import torch

from rnnlm.config import Config, checked_config, register_schemas
from rnnlm.data.preparation import CorpusIdentity, PreparedCorpus
from rnnlm.hardware import has_gpu
from rnnlm.results.record import Record
from rnnlm.runs.run import carry_out_run, load_corpus
from rnnlm.runs.spec import RunSpec
from rnnlm.runtime import prepare_process
from rnnlm.sweep.launchers.options import register_launcher_options

ROOT = Path(__file__).parent.parent
pytest_plugins = ["tests.trained_runs", "tests.support.refusals"]
# Real corpora lie beside the checkout where they are at hand; never in it.
REAL_DATA = ROOT.parent / "shared" / "data"

# A run that takes about a second.
TINY = [
    "model.hidden_size=16",
    "data.batch_size=32",
    "data.seq_len=32",
    "trainer.max_epochs=1",
]

Run = Callable[..., subprocess.CompletedProcess[str]]
Compose = Callable[..., Config]


def composed(*overrides: str) -> Config:
    """Compose and check a configuration, as the command line would."""
    register_schemas()
    register_launcher_options()
    with hydra.initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        return checked_config(hydra.compose("config", list(overrides)))


def trained(config: Config, folder: Path) -> Record:
    """The record of a run in the folder, in this process."""
    folder.mkdir(parents=True, exist_ok=True)
    corpus = load_corpus(config)
    return carry_out_run(specified(config, folder, corpus), corpus)


def specified(config: Config, folder: Path, corpus: PreparedCorpus) -> RunSpec:
    """The specification of a run, with the folder in place of its own."""
    spec = RunSpec.of(config, CorpusIdentity.of(corpus), ["seed=1"])
    return dataclasses.replace(spec, folder=folder)


# The environment variable that lists the GPUs a process may see.
VISIBLE_GPUS = "CUDA_VISIBLE_DEVICES"


def pytest_configure(config: pytest.Config) -> None:
    """Prepare this process, and hide GPUs from it unless `-m gpu` asks for the tests that need one.

    Most tests assert bits, which only a CPU promises, and `trainer.accelerator=auto` would train on
    a GPU. With `-n`, tests run beside one another: a thread that waits leaves its core to them.
    """
    if not _asks_for_gpu(config):
        os.environ[VISIBLE_GPUS] = ""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    prepare_process()


def pytest_report_header(config: pytest.Config) -> str:
    """Say on which device the tests run."""
    if not _asks_for_gpu(config):
        return "device: cpu; GPUs are hidden, -m gpu shows them to the tests that need one"
    return f"device: {torch.cuda.get_device_name() if has_gpu() else 'cpu, there is no GPU'}"


def _asks_for_gpu(config: pytest.Config) -> bool:
    return re.search(r"(?<!not )\bgpu\b", config.option.markexpr) is not None


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> torch.device:
    """The CPU and, with `-m gpu`, the GPU."""
    return torch.device(request.param)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs a GPU where there is none, or it is hidden."""
    if item.get_closest_marker("gpu") and not has_gpu():
        hidden = os.environ.get(VISIBLE_GPUS) == ""
        pytest.skip("GPUs are hidden: run with -m gpu" if hidden else "there is no GPU")


@pytest.fixture(autouse=True)
def own_token_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every test starts without tokenized corpora and leaves none behind."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RNNLM_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def real_data(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The real corpora, as the cache directory that `data.source=full` reads."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"the real corpora are not at {REAL_DATA}")
    monkeypatch.setenv("RNNLM_DATA_DIR", str(REAL_DATA))
    return REAL_DATA


@pytest.fixture
def run_py(tmp_path: Path) -> Run:
    """Run `python run.py` with arguments in a new process and an empty folder."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(ROOT / "run.py"), *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, **environment},
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture
def compose(tmp_path: Path) -> Compose:
    """Compose and check a configuration of a tiny run."""
    return lambda *overrides: composed(*TINY, f"output_dir={tmp_path}", *overrides)


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    """A small English text of the user's own, 6,600 characters."""
    path = tmp_path / "text.txt"
    sentences = [f"{word} went down to the {place}. " for word in NAMES for place in PLACES]
    path.write_text("".join(sentences * 11), encoding="utf-8")
    return path


NAMES = ("Ann", "Bob", "Cora", "Dan")
PLACES = ("river", "mill", "sea", "old quarry", "station")
