"""The adaptation variants of a completed run: its network measured with adaptation at test time.

Each variant has a record of its own in a folder below the run's. Its model has a name such as
`lstm+cache`.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

from rnnlm.data.preparation import PreparedCorpus
from rnnlm.data.texts.splitting import TEST
from rnnlm.evaluation.adaptation.measurement import HELD_OUT, Measurement
from rnnlm.hardware import device_name
from rnnlm.results.record import COMPLETED, Record
from rnnlm.runs.failure import may_be_a_neighbours, reason
from rnnlm.runs.outcome import missing_variants
from rnnlm.runs.provenance import now
from rnnlm.runs.repair import remove_leftovers_of_run
from rnnlm.runs.spec import RunSpec
from rnnlm.runs.trained_model import load

log = logging.getLogger(__name__)


def measure_variants(spec: RunSpec, corpus: PreparedCorpus, device: str = "cpu") -> None:
    """Measure the adaptation variants of a completed run that have not completed.

    Raises:
        OSError: a record cannot be written.
        RuntimeError: an error of the GPU that another run on it may have caused.
    """
    missing = missing_variants(spec)
    if not missing:
        return
    remove_leftovers_of_run(spec.folder, include_live_processes=True)
    run = Record.read(spec.folder)
    measurement: Measurement | None = None
    for variant in missing:
        record = spec.new_variant_record(run, variant)
        try:
            if measurement is None:
                network = load(spec.folder, device).network
                measurement = Measurement(network, corpus, spec.config.adaptation)
            record.device = device_name(measurement.device)
            record.precision = measurement.precision
            metrics, record.adaptation = measurement.measure(variant)
            held_out: dict[str, Any] = {
                split: metrics[split] | {"unigram_ppl": getattr(run, split)["unigram_ppl"]}
                for split in HELD_OUT
            }
            record = dataclasses.replace(record, status=COMPLETED, **held_out)
            test_ppl = metrics[TEST]["ppl"]
            log.info("%s: test ppl %.4f, %s", record.model, test_ppl, record.adaptation)
        except Exception as error:
            record.error = reason(error)
            log.error("%s failed: %s", record.model, record.error, exc_info=True)
            if may_be_a_neighbours(error, spec.config.runs_per_gpu):
                raise
        record.finished_at = now()
        record.write(spec.variant_folders[variant])
