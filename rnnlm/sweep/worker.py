"""The process of a run: everything from the composed configuration to the run's records."""

from __future__ import annotations

import dataclasses
import logging
import warnings
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from rnnlm.config import checked_config
from rnnlm.data.preparation import CorpusIdentity, PreparedCorpus
from rnnlm.files.lock import lock_run_folder
from rnnlm.options import OptionError
from rnnlm.results.record import COMPLETED
from rnnlm.runs.adapted_run import measure_variants
from rnnlm.runs.outcome import Outcome
from rnnlm.runs.run import carry_out_run, load_corpus
from rnnlm.runs.spec import RunSpec
from rnnlm.runtime import prepare_process
from rnnlm.sweep.launchers.lease import gpu_for_run
from rnnlm.training.trainer import check_device

# Returned by `run_one` for a run that another process is carrying out.
HELD_ELSEWHERE = "held elsewhere"


def run_one(composed: DictConfig) -> str:
    """Carry out one run in the folder that Hydra has made for it; launchers call it.

    Returns:
        The status of the run's record, or that another process is carrying it out.
    """
    prepare_process()
    _silence_libraries()
    folder = Path(HydraConfig.get().runtime.output_dir)
    with lock_run_folder(folder) as is_ours:
        if not is_ours:
            return HELD_ELSEWHERE
        spec, corpus = _specify(composed, folder)
        outcome = Outcome(spec)
        if outcome.has_completed():
            return COMPLETED  # another sweep has carried it out since this one began
        with gpu_for_run(spec.accelerator, spec.config.runs_per_gpu) as gpu:
            if not outcome.run_has_completed():
                status = carry_out_run(spec, corpus, gpu).status
                if status != COMPLETED:
                    return status
            device = "cpu" if gpu is None else f"cuda:{gpu}"
            measure_variants(spec, corpus, device)
            return COMPLETED


def _specify(composed: DictConfig, folder: Path) -> tuple[RunSpec, PreparedCorpus]:
    """Specify the run of a composed configuration, and load its corpus.

    Raises:
        OptionError: the text has changed, so that the run has another folder now; or this machine
            has no GPU, and the run needs one.
    """
    # Interpolations stay as typed: a value from the environment may be a secret, and the record
    # keeps the overrides.
    overrides = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)
    assert isinstance(overrides, list)
    config = checked_config(composed)
    check_device(config.trainer)
    corpus = load_corpus(config)
    spec = RunSpec.of(config, CorpusIdentity.of(corpus), overrides)
    if spec.folder.resolve() != folder.resolve():
        raise OptionError("data.source", "the text has changed since the sweep began")
    return dataclasses.replace(spec, folder=folder), corpus


def _silence_libraries() -> None:
    """Send warnings to the run's log, and drop Lightning's remarks on hardware and products."""
    logging.captureWarnings(True)
    warnings.simplefilter("default")
    warnings.filterwarnings("ignore", "The `srun` command is available")
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
