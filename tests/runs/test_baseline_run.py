"""rnnlm/runs/baseline_run.py: baselines as runs like any other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rnnlm.baselines import baselines
from rnnlm.metrics import perplexity
from rnnlm.results.record import BASELINE_METRICS, COMPLETED, SPLIT_METRICS, Record
from tests.conftest import Compose, Run, trained


@pytest.mark.parametrize("name", sorted(baselines()))
def test_a_baseline_has_a_record_without_features_and_seed(
    name: str, compose: Compose, tmp_path: Path
) -> None:
    record = trained(compose(f"model={name}", "seed=7"), tmp_path / name)
    assert record == Record.read(tmp_path / name)
    assert (record.status, record.error) == (COMPLETED, None)
    assert (record.model, record.features, record.seed, record.model_and_features) == (
        name,
        None,
        None,
        name,
    )
    assert record.test is not None
    knows_tokens = name in ("unigram", "kneser_ney")
    assert set(record.test) == {
        *(SPLIT_METRICS if knows_tokens else BASELINE_METRICS),
        "unigram_ppl",
    }
    if knows_tokens:
        assert record.test["ppl"] == pytest.approx(perplexity(record.test["loss"]))
    assert record.test["bpc"] > 0


def test_it_is_measured_on_the_tokens_that_a_network_is_measured_on(
    compose: Compose, tmp_path: Path
) -> None:
    network = trained(compose("trainer.max_epochs=1"), tmp_path / "network")
    for name in sorted(baselines()):
        baseline = trained(compose(f"model={name}"), tmp_path / name)
        assert baseline.held_out_sha256 == network.held_out_sha256
        for split in ("train", "validation", "test"):
            ours, theirs = getattr(baseline, split), getattr(network, split)
            for count in ("num_tokens", "num_chars", "unigram_ppl"):
                assert ours[count] == theirs[count]
        if name == "unigram":
            assert baseline.test is not None
            assert baseline.test["ppl"] == pytest.approx(baseline.test["unigram_ppl"])


def test_a_baseline_stands_in_a_grid_once_whatever_features_and_seeds_there_are(
    run_py: Run, tmp_path: Path
) -> None:
    grid = ["model=unigram,kneser_ney", "features=embed,onehot", "seed=1,2", "model.hidden_size=8"]
    result = run_py("-m", *grid)
    assert result.returncode == 0, result.stderr
    found = sorted(tmp_path.rglob("result.json"))
    assert [path.parent.name for path in found] == ["kneser_ney", "unigram"]
    of_kneser_ney = json.loads(found[0].read_text())
    # The order is one of those it may choose from, and it says which.
    assert of_kneser_ney["options"]["model.order"] in range(2, 9)
    assert "the best" in (found[0].parent / "run.log").read_text()
    again = run_py("model=kneser_ney", "features=onehot")
    assert "is completed" in again.stdout


def test_a_bad_order_is_refused(run_py: Run, tmp_path: Path) -> None:
    result = run_py("model=kneser_ney", "model.order=9")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "model.order: 9 is out of range, it takes at least 2 and at most 8\n"
