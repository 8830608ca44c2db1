"""rnnlm/baselines/: what holds for every one of them."""

from __future__ import annotations

import math

import pytest

from rnnlm.baselines import baselines
from rnnlm.baselines.baseline import BaselineConfig
from rnnlm.data.batching import Batching
from rnnlm.data.texts.splitting import SPLITS
from tests.conftest import ROOT
from tests.support.small_corpora import sample

LIKELIHOODS = ("unigram", "kneser_ney")


def test_each_has_a_file_in_conf() -> None:
    assert set(baselines()) == {"unigram", "kneser_ney", "xz", "bz2"}
    for name in baselines():
        path = ROOT / "conf" / "model" / f"{name}.yaml"
        assert path.read_text() == f"defaults:\n  - schema/{name}@_here_\n"


@pytest.mark.parametrize("batching", [Batching.stream, Batching.documents])
@pytest.mark.parametrize("corpus_name", ["time_machine", "tang", "jinyong", "addition"])
@pytest.mark.parametrize("name", baselines())
def test_every_sample_is_measured(name: str, corpus_name: str, batching: Batching) -> None:
    corpus = sample(corpus_name, batching)
    kind = baselines()[name]
    assert issubclass(kind.Config, BaselineConfig)
    baseline = kind(kind.Config(name=name))
    measured = baseline.measure(corpus)
    assert list(measured) == list(SPLITS)
    for split_name, metrics in measured.items():
        split = corpus.splits[split_name]
        assert set(metrics) == {"loss", "ppl", "bpc", "num_tokens", "num_chars"}
        assert metrics["num_tokens"] == split.num_tokens
        assert metrics["num_chars"] == split.num_chars
        assert metrics["bpc"] is not None
        assert 0 < metrics["bpc"] < 20
        if name in LIKELIHOODS:
            assert metrics["loss"] is not None
            assert metrics["ppl"] == math.exp(metrics["loss"])
            # Better than a guess.
            assert 0 < metrics["loss"] < math.log(len(corpus.vocabulary))
    assert (baseline.num_parameters is not None) == (name in LIKELIHOODS)


def test_kneser_ney_is_better_than_frequencies() -> None:
    for corpus_name in ("time_machine", "tang"):
        corpus = sample(corpus_name)
        bits = {
            name: baselines()[name](baselines()[name].Config()).measure(corpus)["test"]["bpc"] or 0
            for name in LIKELIHOODS
        }
        assert bits["kneser_ney"] < 0.95 * bits["unigram"]
