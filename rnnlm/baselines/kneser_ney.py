"""N-grams with interpolated Kneser-Ney smoothing, original (one discount) or modified (three).

For a context h and the token w that follows, with h' the context without its first token,

    p_n(w | h) = (c(hw) - D(c(hw))) / c(h·) + γ(h) p_(n-1)(w | h')
    γ(h) = Σ_w D(c(hw)) / c(h·)

where c(h·) = Σ_w c(hw). If h is not a context in training, p_n(w | h) = p_(n-1)(w | h'). In the
highest order, c(hw) is the number of times that hw occurs in training. In lower orders it is the
number of different tokens before hw. Below order 1 all tokens are equally likely. A token with too
few tokens before it in its sequence is predicted by the highest order whose context it has. The
discounts D are in `rnnlm/baselines/discounts.py`.

R. Kneser and H. Ney, "Improved backing-off for m-gram language modeling", ICASSP 1995. S. F. Chen
and J. Goodman, "An empirical study of smoothing techniques for language modeling", Computer Speech
and Language 13, 1999.

Shapes: N tokens of all splits, G distinct n-grams of an order, C their contexts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnlm.baselines.baseline import Baseline, BaselineConfig, Measured, metrics_of
from rnnlm.baselines.discounts import Discounts, estimate
from rnnlm.baselines.ngrams import Counts, Ngrams, SplitTokens
from rnnlm.data.preparation import PreparedCorpus
from rnnlm.data.texts.splitting import SPLITS, VALIDATION
from rnnlm.options import option

LOWEST_ORDER, HIGHEST_ORDER = 2, 8

Probabilities = NDArray[np.float64]


@dataclass
class KneserNeyConfig(BaselineConfig):
    """Options of `model=kneser_ney`."""

    # The length of an n-gram: a token and the tokens before it that predict it. None takes the best
    # of 2 to 8 on validation.
    order: int | None = option(None, minimum=LOWEST_ORDER, maximum=HIGHEST_ORDER)
    discounts: Discounts = Discounts.three


@dataclass(frozen=True)
class OrderPredictions:
    """The predictions of the model of one order for the tokens of all splits."""

    order: int
    probability_N: Probabilities  # each token's; meaningless for the first of a sequence
    num_ngrams: int  # number of distinct n-grams in training, of this order and below
    orders_without_estimate: list[int]  # orders for which some discount is not an estimate


def predict_orders(
    tokens: SplitTokens, orders: Collection[int], discounts: Discounts
) -> Iterator[OrderPredictions]:
    """Yield the predictions of several orders, the lowest first; they share the lower orders."""
    ngrams = Ngrams.unigrams(tokens)
    lower_N = np.full(len(tokens.tokens_N), 1 / tokens.num_predictable)
    num_ngrams, without_estimate = 0, list[int]()
    for order in range(2, max(orders) + 1):
        longer = ngrams.one_longer(tokens)
        counts_G = ngrams.num_left_neighbours(tokens, longer)
        num_ngrams += int(np.count_nonzero(counts_G))
        lower_N, estimated = interpolate(ngrams, counts_G, lower_N, discounts)
        if not estimated:
            without_estimate.append(ngrams.order)
        if order in orders:
            top_N, estimated = interpolate(longer, longer.counts_G, lower_N, discounts)
            yield OrderPredictions(
                order,
                top_N,
                num_ngrams + int(np.count_nonzero(longer.counts_G)),
                without_estimate + [order] * (not estimated),
            )
        ngrams = longer


def interpolate(
    ngrams: Ngrams, counts_G: Counts, lower_N: Probabilities, discounts: Discounts
) -> tuple[Probabilities, bool]:
    """Return each token's probability by one order, and whether all discounts are estimates.

    Args:
        counts_G: c(hw) of each n-gram of the order.
        lower_N: the probabilities by the order below.
    """
    estimated = estimate(counts_G, discounts)
    discount_G = estimated.of(counts_G)
    context_G = ngrams.prefixes_G
    total_C = np.bincount(context_G, counts_G)
    # An unseen context backs off entirely to the lower order.
    backoff_C = np.where(total_C > 0, np.bincount(context_G, discount_G), 1.0)
    total_C = np.maximum(total_C, 1.0)
    discounted_G = (counts_G - discount_G) / total_C[context_G]
    backoff_G = (backoff_C / total_C)[context_G]
    ids_M = ngrams.ids_N[ngrams.at_M]
    probability_N = lower_N.copy()
    probability_N[ngrams.at_M] = discounted_G[ids_M] + backoff_G[ids_M] * lower_N[ngrams.at_M]
    return probability_N, estimated.are_estimated


class KneserNey(Baseline):
    """N-grams of one order, interpolated with all lower orders."""

    name = "kneser_ney"
    Config = KneserNeyConfig
    config: KneserNeyConfig

    def measure(self, corpus: PreparedCorpus) -> Measured:
        tokens, best = self._best(corpus)
        self.num_parameters, self.chosen, self.notes = best.num_ngrams, {}, []
        if self.config.order is None:
            self.chosen = {"order": best.order}
            self.notes.append(
                f"order {best.order}, the best on validation of {LOWEST_ORDER} to {HIGHEST_ORDER}"
            )
        if best.orders_without_estimate:
            orders = ", ".join(map(str, best.orders_without_estimate))
            self.notes.append(f"too few rare n-grams to estimate all discounts of order {orders}")
        return {
            name: metrics_of(corpus.splits[name], nats)
            for name, nats in zip(SPLITS, total_nats(tokens, best.probability_N), strict=True)
        }

    def probabilities(self, corpus: PreparedCorpus) -> tuple[dict[str, Probabilities], int]:
        """Return the probability of every predicted token of each split, and the order used."""
        tokens, best = self._best(corpus)
        predicted_N = tokens.before_N > 0
        return {
            name: best.probability_N[part][predicted_N[part]]
            for name, part in zip(SPLITS, tokens.slices, strict=True)
        }, best.order

    def _best(self, corpus: PreparedCorpus) -> tuple[SplitTokens, OrderPredictions]:
        """Return the predictions of the order asked for, or of the best order on validation."""
        order = self.config.order
        orders = range(LOWEST_ORDER, HIGHEST_ORDER + 1) if order is None else [order]
        splits = [corpus.splits[name] for name in SPLITS]
        tokens = SplitTokens.of(
            [split.ids_N.numpy() for split in splits], len(corpus.vocabulary), splits[0].begin_id
        )
        validation = SPLITS.index(VALIDATION)
        best = min(
            predict_orders(tokens, orders, self.config.discounts),
            key=lambda predicted: total_nats(tokens, predicted.probability_N)[validation],
        )
        return tokens, best


def total_nats(tokens: SplitTokens, probability_N: Probabilities) -> list[float]:
    """Return the total nats of each split, without the first token of each sequence."""
    nats_N = -np.log(probability_N)
    nats_N[tokens.before_N == 0] = 0.0
    return [float(nats_N[part].sum()) for part in tokens.slices]
