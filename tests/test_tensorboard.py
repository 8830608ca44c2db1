"""What a real TensorBoard shows of a finished sweep, read back from its HTTP data endpoints."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from rnnlm.results.record import Record, find_records
from tests.conftest import ROOT

SMALL = ["model.hidden_size=16", "trainer.max_epochs=2"]
GRID = ["-m", "model=rnn,lstm,gru", "features=embed,onehot", *SMALL]
SECONDS_TO_START = 60
Get = Callable[..., Any]


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished sweep of six runs and a baseline."""
    folder = tmp_path_factory.mktemp("sweep")
    for arguments in (GRID, ["model=unigram"]):
        command = [sys.executable, str(ROOT / "run.py"), *arguments]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "outputs"


@pytest.fixture(scope="module")
def get(sweep: Path) -> Iterator[Get]:
    """What TensorBoard answers to a request."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(sweep), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            lines = iter(server.stderr.readline, "")
            found = (re.search(r"http://\S+:\d+/", line) for line in lines)
            address = next(match.group() for match in found if match)

            def answer(path: str, **parameters: Any) -> Any:
                if "json" in parameters:
                    reply = requests.post(address + "data/" + path, timeout=60, **parameters)
                else:
                    reply = requests.get(address + "data/" + path, parameters, timeout=60)
                reply.raise_for_status()
                return reply.json()

            # It reads the files after it has started to answer.
            deadline = time.monotonic() + SECONDS_TO_START
            while len(answer("plugin/text/tags")) < 6 and time.monotonic() < deadline:
                time.sleep(0.5)
            yield answer
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def records(sweep: Path) -> dict[str, Record]:
    """The records of the networks, by the name that TensorBoard should have for their runs."""
    found = find_records([sweep])[0]
    return {str(folder.relative_to(sweep)): r for folder, r in found if r.features}


def test_runs_are_named_by_what_they_are(get: Get, records: dict[str, Record]) -> None:
    assert set(get("runs")) == set(records)
    assert "time_machine,model.hidden_size=16,trainer.max_epochs=2/lstm-onehot/seed1" in records
    assert len(records) == 6


def test_their_curves_overlay(get: Get, records: dict[str, Record]) -> None:
    tags = get("plugin/scalars/tags")
    common = set.intersection(*(set(tags[run]) for run in records))
    assert {f"{m}/{s}" for m in ("loss", "ppl") for s in ("validation", "train_running")} <= common
    assert {"cost/tokens", "cost/seconds", "ppl/test", "bpc/test"} <= common
    for run, record in records.items():
        curve = get("plugin/scalars/scalars", run=run, tag="loss/validation")
        assert len(curve) == 2
        assert record.validation is not None
        assert min(value for _, _, value in curve) == pytest.approx(record.validation["loss"])


def test_hparams_has_real_metrics(get: Get, records: dict[str, Record]) -> None:
    request = {
        "experimentName": "",
        "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_RUNNING"],
        "colParams": [{"metric": {"group": "", "tag": "ppl/test"}}],
        "startIndex": 0,
        "sliceSize": 100,
    }
    groups = get("plugin/hparams/session_groups", json=request)["sessionGroups"]
    assert len(groups) == 6
    for group in groups:
        metrics = {m["name"]["tag"]: m["value"] for m in group["metricValues"]}
        cell = f"{group['hparams']['cell']}-{group['hparams']['features']}"
        (record,) = [record for record in records.values() if record.model_and_features == cell]
        assert record.test is not None
        assert metrics["ppl/test"] == pytest.approx(record.test["ppl"])
        assert "hp_metric" not in metrics


def test_every_cell_shows_what_it_writes(get: Get, records: dict[str, Record]) -> None:
    for run, record in records.items():
        (event,) = get("plugin/text/text", run=run, tag="sample/text_summary")
        assert record.sample
        # As HTML, in which whitespace and some characters look otherwise.
        words = [word for word in re.split(r"[^a-zA-Z]+", record.sample) if len(word) > 3]
        assert words
        assert all(word in event["text"] for word in words)
