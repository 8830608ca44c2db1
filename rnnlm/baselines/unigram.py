"""How often each token occurs, whatever comes before it."""

from __future__ import annotations

import torch
from torch import Tensor

from rnnlm.baselines.baseline import Baseline, Measured, metrics_of
from rnnlm.data.preparation import PreparedCorpus
from rnnlm.data.texts.splitting import SPLITS, TRAIN
from rnnlm.metrics import perplexity


class Unigram(Baseline):
    """Token frequencies of the train split, add-one smoothed: one number for each token."""

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
    """Total nats of tokens under the unigram model of the training tokens, add-one smoothed."""
    counts_V = torch.bincount(train_N, minlength=vocab_size).double() + 1
    log_p_V = counts_V.log() - counts_V.sum().log()
    return -log_p_V[held_out_N].sum().item()


def unigram_ppl(train_N: Tensor, held_out_N: Tensor, vocab_size: int) -> float:
    """Perplexity of tokens under that model."""
    return perplexity(unigram_nats(train_N, held_out_N, vocab_size) / len(held_out_N))
