"""rnnlm/training/loggers.py: runs in W&B and MLflow, read back from files, offline."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from rnnlm.options import OptionError
from rnnlm.results.record import COMPLETED, FAILED, Record
from tests.conftest import TINY, Compose, Run, trained
from tests.support.runs import interrupt_at, scalars

LOCAL = ("127.0.0.1", "::1", "localhost")

needs_wandb = pytest.mark.skipif(not find_spec("wandb"), reason="the extra wandb is not installed")
needs_mlflow = pytest.mark.skipif(
    not find_spec("mlflow"), reason="the extra mlflow is not installed"
)


@pytest.fixture(autouse=True)
def offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whoever looks for another machine is caught, be it W&B's own process; nobody is asked."""
    sought: list[Any] = []

    def watched(name: str) -> Any:
        original = getattr(socket.socket, name)

        def connect(self: socket.socket, address: Any) -> Any:
            if self.family != socket.AF_UNIX and address[0] not in LOCAL:
                sought.append(address)
                raise OSError("offline")
            return original(self, address)

        return connect

    environment, home = dict(os.environ), str(tmp_path_factory.mktemp("home"))
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, watched(name))
        for name in ("WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR"):
            patch.setenv(name, home)
        patch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        for name in ("WANDB_MODE", "WANDB_API_KEY"):
            patch.delenv(name, raising=False)
        yield
        if wandb := sys.modules.get("wandb"):
            wandb.teardown()
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert sought == []
    # Lightning and MLflow set some of it.
    os.environ.clear()
    os.environ.update(environment)


def interrupted_and_gone_on_with(
    options: list[str], compose: Compose, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Record:
    """The record of a run of three epochs that Ctrl-C stops in the third."""
    config = compose(*options, "data.batch_size=8", "trainer.max_epochs=3")
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with monkeypatch.context() as patch:
            interrupt_at(patch, 50, signal.SIGINT)
            with pytest.raises(KeyboardInterrupt):
                trained(config, folder)
    finally:
        signal.signal(signal.SIGINT, inherited)
    assert len(scalars(folder, "loss/validation")) == 2
    return trained(config, folder)


def records(path: Path) -> Iterator[Any]:
    """The records of a `.wandb` file: protocol buffers in the log format of LevelDB."""
    record_type = import_module("wandb.proto.wandb_internal_pb2").Record
    block, header = 32_768, struct.Struct("<IHB")
    content, at, record = path.read_bytes(), 7, b""
    while at < len(content):
        if block - at % block < header.size:
            at += block - at % block
            continue
        _, length, kind = header.unpack_from(content, at)
        at += header.size
        record += content[at : at + length]
        at += length
        if kind in (1, 4):  # the whole of a record, or its last part
            yield record_type.FromString(record)
            record = b""


class WandbPart:
    """Part of a W&B folder: a run, or what was logged at once."""

    def __init__(self, path: Path) -> None:
        self.config: dict[str, Any] = {}
        self.rows: list[dict[str, Any]] = []
        for record in records(path):
            match record.WhichOneof("record_type"):
                case "run":
                    self.run = record.run
                case "config":
                    self.config |= self._values(record.config.update)
                case "history":
                    self.rows.append(self._values(record.history.item))
                case "exit":
                    self.exit_code = record.exit.exit_code

    @staticmethod
    def _values(items: Any) -> dict[str, Any]:
        return {
            item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items
        }

    def curve(self, name: str) -> list[tuple[int, float]]:
        return [(row["trainer/global_step"], row[name]) for row in self.rows if name in row]


def wandb_parts(folder: Path) -> list[WandbPart]:
    return [WandbPart(path) for path in sorted(folder.glob("wandb/offline-run-*/*.wandb"))]


def mlflow_runs(output_dir: Path) -> list[Any]:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{output_dir}/mlflow.db")
    experiment = client.get_experiment_by_name("rnnlm")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id]))


def mlflow_curve(output_dir: Path, run: Any, name: str) -> list[tuple[int, float]]:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{output_dir}/mlflow.db")
    return [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, name)]


@needs_wandb
def test_wandb_keeps_every_epoch_the_final_metrics_and_the_options(
    compose: Compose, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "cell" / "seed1"
    record = trained(compose("logger=wandb", "trainer.max_epochs=2"), folder)
    assert record.status == COMPLETED, record.error
    output = capfd.readouterr()
    assert "wandb" not in output.out + output.err
    (part,) = wandb_parts(folder)
    assert (part.run.project, part.run.display_name) == ("rnnlm", "cell/seed1")
    losses = scalars(folder, "loss/validation")
    assert part.curve("loss/validation") == losses
    assert len(losses) == 2
    assert record.test is not None
    assert [ppl for _, ppl in part.curve("ppl/test")] == [record.test["ppl"]]
    assert part.config["cell"] == "lstm"
    assert part.config["num_parameters"] == record.num_parameters
    assert part.config["option.model.hidden_size"] == 16
    assert part.exit_code == 0
    usual = trained(compose("trainer.max_epochs=2"), tmp_path / "usual")
    assert usual.test == record.test
    assert scalars(tmp_path / "usual", "loss/validation") == losses


@needs_mlflow
def test_mlflow_keeps_every_epoch_the_final_metrics_and_the_options(
    compose: Compose, tmp_path: Path
) -> None:
    folder = tmp_path / "cell" / "seed1"
    record = trained(compose("logger=mlflow", "trainer.max_epochs=2"), folder)
    assert record.status == COMPLETED, record.error
    (run,) = mlflow_runs(tmp_path)
    assert (run.info.run_name, run.info.status) == ("cell/seed1", "FINISHED")
    losses = scalars(folder, "loss/validation")
    assert mlflow_curve(tmp_path, run, "loss/validation") == losses
    assert len(losses) == 2
    assert record.test is not None
    assert run.data.metrics["ppl/test"] == record.test["ppl"]
    assert run.data.params["cell"] == "lstm"
    assert run.data.params["num_parameters"] == str(record.num_parameters)
    assert run.data.params["option.model.hidden_size"] == "16"
    usual = trained(compose("trainer.max_epochs=2"), tmp_path / "usual")
    assert usual.test == record.test


@needs_wandb
def test_a_run_that_goes_on_does_so_under_its_id_in_wandb(
    compose: Compose, tmp_path: Path, text_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["logger=wandb", f"data.source={text_file}"]
    record = interrupted_and_gone_on_with(options, compose, tmp_path / "run", monkeypatch)
    assert record.status == COMPLETED, record.error
    first, second = wandb_parts(tmp_path / "run")
    assert first.run.run_id == second.run.run_id
    assert second.run.resume
    assert (first.exit_code, second.exit_code) == (1, 0)
    name = "loss/validation"
    assert first.curve(name) + second.curve(name) == scalars(tmp_path / "run", name)
    assert len(second.curve(name)) == 1


@needs_mlflow
def test_a_run_that_goes_on_does_so_in_the_same_run_of_mlflow(
    compose: Compose, tmp_path: Path, text_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["logger=mlflow", f"data.source={text_file}"]
    record = interrupted_and_gone_on_with(options, compose, tmp_path / "run", monkeypatch)
    assert record.status == COMPLETED, record.error
    (run,) = mlflow_runs(tmp_path)
    assert run.info.status == "FINISHED"
    name = "loss/validation"
    assert mlflow_curve(tmp_path, run, name) == scalars(tmp_path / "run", name)


@needs_mlflow
def test_where_the_store_is_another_a_run_goes_on_in_another_run(tmp_path: Path) -> None:
    from rnnlm.training.loggers import MLFlow

    def run_id(store: str) -> str | None:
        uri = f"sqlite:///{tmp_path}/{store}"
        return MLFlow(tmp_path, tmp_path, experiment_name="rnnlm", tracking_uri=uri).run_id

    first = run_id("mlflow.db")
    assert run_id("mlflow.db") == first
    assert run_id("other.db") != first
    assert len(mlflow_runs(tmp_path)) == 1


@needs_wandb
@needs_mlflow
def test_a_run_that_fails_is_a_failed_one_everywhere(compose: Compose, tmp_path: Path) -> None:
    diverging = ("optimizer=sgd", "optimizer.lr=1e30", "trainer.gradient_clip_val=null")
    for logger in ("wandb", "mlflow"):
        record = trained(compose(f"logger={logger}", *diverging), tmp_path / logger)
        assert record.status == FAILED
        assert "loss is" in (record.error or "")
    (part,), (run,) = wandb_parts(tmp_path / "wandb"), mlflow_runs(tmp_path)
    assert part.exit_code == 1
    assert run.info.status == "FAILED"
    assert part.config["cell"] == run.data.params["cell"] == "lstm"


@needs_mlflow
def test_runs_at_once_share_a_store_of_mlflow(run_py: Run, tmp_path: Path) -> None:
    options = ("hydra/launcher=parallel", "hydra.launcher.runs_at_once=3", "logger=mlflow")
    result = run_py("-m", *options, "seed=1,2,3", *TINY)
    assert result.returncode == 0, result.stderr
    assert "mlflow" not in (result.stdout + result.stderr).lower()
    runs = mlflow_runs(tmp_path / "outputs")
    assert sorted(run.data.params["option.seed"] for run in runs) == ["1", "2", "3"]
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert len({run.info.experiment_id for run in runs}) == 1


@pytest.mark.parametrize("logger", ["wandb", "mlflow"])
def test_a_logger_whose_extra_is_missing_is_refused_in_one_line(
    logger: str, compose: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnnlm.training.loggers.find_spec", lambda name: None)
    with pytest.raises(OptionError) as error:
        compose(f"logger={logger}")
    assert str(error.value) == (
        f"logger: {logger} needs the extra of that name, pip install -e '.[{logger}]'"
    )
    compose()
