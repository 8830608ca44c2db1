"""rnnlm/runs/adapted_run.py on real runs."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from pathlib import Path

import pytest

from rnnlm.baselines.kneser_ney import KneserNey, KneserNeyConfig
from rnnlm.evaluation.adaptation.options import AdaptationConfig, label
from rnnlm.files.run_files import best_checkpoint
from rnnlm.results.record import COMPLETED, FAILED, Record
from rnnlm.runs.adapted_run import measure_variants
from rnnlm.runs.run import load_corpus
from rnnlm.runs.trained_model import LoadError, load
from tests.conftest import Run, composed, specified
from tests.trained_runs import RUNS, TrainedRuns

ALL = AdaptationConfig(dynamic=True, cache=500, kneser_ney=True)


def adapted(run: Path, name: str, config: AdaptationConfig) -> dict[str, Record]:
    """Measure the adaptation variants of one of the trained runs; return their records."""
    composed_config = dataclasses.replace(composed(*RUNS[name]), adaptation=config)
    corpus = load_corpus(composed_config)
    spec = specified(composed_config, run, corpus)
    measure_variants(spec, corpus)
    return {label(v): Record.read(folder) for v, folder in spec.variant_folders.items()}


@pytest.mark.parametrize("name", ["prose", "tang", "lyrics"])
def test_adaptation_helps_and_the_record_says_what_was_chosen(
    name: str, trained_runs: TrainedRuns, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained_runs(name), run)
    plain = Record.read(run)
    assert plain.validation is not None
    records = adapted(run, name, ALL)
    for variant, record in records.items():
        assert record.status == COMPLETED, record.error
        assert record.model_and_features == f"{plain.model}+{variant}-{plain.features}"
        assert record.held_out_sha256 == plain.held_out_sha256
        assert record.train is None
        assert record.history == {}
        assert (record.device, record.precision) == ("cpu", "32-true")
        # A network that adapts reads few long streams, so the rule of many is not in its record.
        assert record.evaluation is None
    validation = {name: record.validation or {} for name, record in records.items()}
    # A mixture can give a method no weight; dynamic evaluation takes steps, on a tiny text.
    for method in ("cache", "kneser_ney"):
        assert validation[method]["loss"] <= plain.validation["loss"] + 1e-4
    everything = validation["dynamic+cache+kneser_ney"]
    assert everything["loss"] <= validation["dynamic"]["loss"] + 1e-6
    assert everything["num_tokens"] == plain.validation["num_tokens"]
    assert everything["ppl"] == pytest.approx(math.exp(everything["loss"]))
    chosen = records["dynamic+cache+kneser_ney"].adaptation
    assert chosen is not None
    assert {"lr", "decay", "flatness", "order"} <= chosen.keys()
    weights = chosen["weights"]
    assert isinstance(weights, dict)
    assert math.fsum(float(str(weight)) for weight in weights.values()) == pytest.approx(1)
    assert list(weights) == ["network", "cache", "kneser_ney"]


def test_kneser_ney_gives_each_token_the_probability_it_was_measured_by() -> None:
    for options in (RUNS["prose"], RUNS["tang"], RUNS["lyrics"]):
        corpus = load_corpus(composed(*options))
        baseline = KneserNey(KneserNeyConfig())
        measured = baseline.measure(corpus)
        probabilities, order = baseline.probabilities(corpus)
        assert baseline.chosen == {"order": order}
        for split, p_N in probabilities.items():
            assert len(p_N) == corpus.splits[split].num_tokens
            assert -sum(map(math.log, p_N)) / len(p_N) == pytest.approx(measured[split]["loss"])


def test_variants_are_measured_once_and_those_of_other_options_besides(
    trained_runs: TrainedRuns, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained_runs("prose"), run)
    adapted(run, "prose", AdaptationConfig(cache=5))
    path = run / "adaptation" / "cache=5" / "result.json"
    first = path.read_bytes()
    adapted(run, "prose", AdaptationConfig(cache=5))
    assert path.read_bytes() == first
    adapted(run, "prose", AdaptationConfig(cache=200))
    assert (run / "adaptation" / "cache=200" / "result.json").is_file()
    assert path.read_bytes() == first
    with pytest.raises(LoadError, match=r"is of lstm\+cache: give .*run, its network's"):
        load(path.parent)


def test_several_values_are_not_swept_as_one_would_be_left(run_py: Run) -> None:
    refused = run_py("-m", "adaptation.cache=10,50")
    assert refused.returncode == 2
    assert refused.stderr.startswith("adaptation.cache: several values cannot be swept")
    assert refused.stderr.count("\n") == 1


def test_a_variant_that_cannot_be_measured_has_failed_and_says_why(
    trained_runs: TrainedRuns, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained_runs("prose"), run)
    best_checkpoint(run).write_bytes(b"nothing")
    record = adapted(run, "prose", AdaptationConfig(cache=5))["cache"]
    assert record.status == FAILED
    assert record.error is not None
    assert "best.ckpt is no checkpoint" in record.error


@pytest.mark.slow
def test_the_command_gives_a_completed_run_the_variants_it_lacks(
    run_py: Run, tmp_path: Path
) -> None:
    tiny = ["model.hidden_size=16", "trainer.max_epochs=1", "data.max_chars=8000"]
    assert run_py(*tiny).returncode == 0
    (path,) = (tmp_path / "outputs").rglob("result.json")
    before = path.read_bytes()
    done = run_py("-m", "model=lstm,kneser_ney", *tiny, "adaptation.cache=100")
    assert done.returncode == 0, done.stdout + done.stderr
    assert path.read_bytes() == before
    assert "lstm+cache" in done.stdout
    again = run_py(*tiny, "adaptation.cache=100")
    assert "is completed" in again.stdout
    assert "lstm+cache" in again.stdout
    best_checkpoint(path.parent).unlink()
    (path.parent / "checkpoints" / "last.ckpt").unlink()
    failing = run_py(*tiny, "adaptation.cache=200")
    assert failing.returncode == 1
    assert "best.ckpt is missing, force=true trains the run again" in failing.stdout
    variant = json.loads((path.parent / "adaptation" / "cache=200" / "result.json").read_text())
    assert variant["status"] == FAILED
    assert path.read_bytes() == before
    refused = run_py(*tiny, "adaptation.cache=0")
    assert refused.returncode == 2
    assert "adaptation.cache: 0 is out of range, it takes at least 1" in refused.stderr
