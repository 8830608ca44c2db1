"""rnnlm/baselines/unigram.py"""

from __future__ import annotations

import math
from collections import Counter

import pytest

from rnnlm.baselines.baseline import BaselineConfig
from rnnlm.baselines.unigram import Unigram
from rnnlm.data.texts.splitting import SPLITS
from tests.support.small_corpora import sample


@pytest.mark.parametrize("name", ["time_machine", "tang"])
def test_frequencies_with_one_more_of_each(name: str) -> None:
    corpus = sample(name)
    counts = Counter(corpus.splits["train"].predicted_N.tolist())
    vocab_size = len(corpus.vocabulary)
    total = sum(counts.values()) + vocab_size
    baseline = Unigram(BaselineConfig())
    measured = baseline.measure(corpus)
    for split_name in SPLITS:
        split = corpus.splits[split_name]
        nats = sum(math.log(total / (counts[token] + 1)) for token in split.predicted_N.tolist())
        assert measured[split_name]["loss"] == pytest.approx(nats / split.num_tokens)
        assert measured[split_name]["bpc"] == pytest.approx(
            (nats + split.unknown_nats) / math.log(2) / split.num_chars
        )
    assert baseline.num_parameters == vocab_size
