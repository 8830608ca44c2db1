"""How often each token occurs, whatever comes before it."""

from __future__ import annotations

from rnnlm.baselines.baseline import Baseline, Measured, metrics_of
from rnnlm.data.corpus import Corpus
from rnnlm.data.splitting import SPLITS, TRAIN
from rnnlm.metrics import unigram_nats


class Unigram(Baseline):
    """Token frequencies of the train split, add-one smoothed: one number for each token."""

    name = "unigram"

    def measure(self, corpus: Corpus) -> Measured:
        vocab_size = len(corpus.vocabulary)
        self.num_parameters = vocab_size
        train_N = corpus.splits[TRAIN].predicted_N
        measured: Measured = {}
        for name in SPLITS:
            split = corpus.splits[name]
            measured[name] = metrics_of(split, unigram_nats(train_N, split.predicted_N, vocab_size))
        return measured
