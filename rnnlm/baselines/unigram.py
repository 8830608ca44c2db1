"""The unigram baseline: the frequencies of tokens, without their contexts."""

from __future__ import annotations

import torch
from torch import Tensor

from rnnlm.baselines.baseline import Baseline, Measured, metrics_of
from rnnlm.data.preparation import PreparedCorpus
from rnnlm.data.texts.splitting import SPLITS, TRAIN
from rnnlm.metrics import perplexity


class Unigram(Baseline):
    """Token frequencies of the train split with add-one smoothing."""

    name = "unigram"

    def measure(self, corpus: PreparedCorpus) -> Measured:
        vocab_size = len(corpus.vocabulary)
        self.num_parameters = vocab_size
        train_N = corpus.splits[TRAIN].predicted_N
        measured: Measured = {}
        for name in SPLITS:
            split = corpus.splits[name]
            measured[name] = metrics_of(split, unigram_nats(train_N, split.predicted_N, vocab_size))
        return measured


def unigram_nats(train_N: Tensor, held_out_N: Tensor, vocab_size: int) -> float:
    """Return the total nats of held-out tokens by the unigram model of the train tokens."""
    counts_V = torch.bincount(train_N, minlength=vocab_size).double() + 1
    log_p_V = counts_V.log() - counts_V.sum().log()
    return -log_p_V[held_out_N].sum().item()


def unigram_ppl(corpus: PreparedCorpus, split: str) -> float:
    """Perplexity of a split under the unigram model of the training split."""
    learned_N, predicted_N = corpus.splits[TRAIN].predicted_N, corpus.splits[split].predicted_N
    nats = unigram_nats(learned_N, predicted_N, len(corpus.vocabulary))
    return perplexity(nats / len(predicted_N))
