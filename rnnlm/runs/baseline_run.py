"""The run of a baseline: it learns from the training split and is measured on all three."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

from rnnlm.baselines import baselines
from rnnlm.baselines.baseline import BaselineConfig
from rnnlm.baselines.unigram import unigram_ppl
from rnnlm.data.preparation import PreparedCorpus
from rnnlm.data.texts.splitting import SPLITS
from rnnlm.runs.spec import RunSpec

log = logging.getLogger(__name__)


def measure_baseline(
    spec: RunSpec, corpus: PreparedCorpus, gpu: int | None
) -> Iterator[dict[str, Any]]:
    """Carry out the run of a baseline, on the CPU.

    Yields:
        The fields of the run's record, all at once.
    """
    config = spec.config.model
    assert isinstance(config, BaselineConfig)
    baseline = baselines()[config.name](config)
    started = time.perf_counter()
    metrics = baseline.measure(corpus)
    seconds = time.perf_counter() - started
    for note in baseline.notes:
        log.info("%s: %s", config.name, note)
    chosen = {f"model.{name}": value for name, value in baseline.chosen.items()}
    yield {
        "train_seconds": seconds,
        "options": {**spec.options, **chosen},
        "num_parameters": baseline.num_parameters,
        "device": "cpu",
        **{
            split: {name: value for name, value in metrics[split].items() if value is not None}
            | {"unigram_ppl": unigram_ppl(corpus, split)}
            for split in SPLITS
        },
    }
