"""A baseline's run: what it has learned from the training split, measured on all three."""

from __future__ import annotations

import logging
import time

from rnnlm.baselines import baselines
from rnnlm.baselines.baseline import BaselineConfig
from rnnlm.baselines.unigram import unigram_ppl
from rnnlm.config import Config
from rnnlm.data.preparation import PreparedCorpus
from rnnlm.data.texts.splitting import SPLITS
from rnnlm.results.record import Record

log = logging.getLogger(__name__)


def measure(config: Config, corpus: PreparedCorpus, record: Record) -> None:
    """Fill in the record of a baseline."""
    assert isinstance(config.model, BaselineConfig)
    baseline = baselines()[config.model.name](config.model)
    started = time.perf_counter()
    figures = baseline.measure(corpus)
    record.train_seconds = time.perf_counter() - started
    for note in baseline.notes:
        log.info("%s: %s", config.model.name, note)
    record.options |= {f"model.{name}": value for name, value in baseline.chosen.items()}
    record.num_parameters = baseline.num_parameters
    record.device = "cpu"
    for name in SPLITS:
        of_unigram = unigram_ppl(
            corpus.splits["train"].predicted_N,
            corpus.splits[name].predicted_N,
            len(corpus.vocabulary),
        )
        known = {figure: value for figure, value in figures[name].items() if value is not None}
        setattr(record, name, {**known, "unigram_ppl": of_unigram})
