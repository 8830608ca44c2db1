"""Plan a sweep: the overrides of each run of a grid, and the specification of each run."""

from __future__ import annotations

import dataclasses
import itertools
import os
import time
from collections.abc import Sequence
from pathlib import Path

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from rnnlm.config import checked_config
from rnnlm.data.preparation import CorpusIdentity
from rnnlm.evaluation.adaptation.options import AdaptationConfig
from rnnlm.options import OptionError
from rnnlm.runs.run import load_corpus
from rnnlm.runs.spec import RunSpec
from rnnlm.sweep.hydra_internals import Composer
from rnnlm.sweep.hydra_quoting import as_hydra_reads, with_plain_interpolations
from rnnlm.sweep.overrides import check_grid

# The time between messages about the progress of planning.
SECONDS_BETWEEN_LINES = 5.0


def grid(
    loader: ConfigLoader, master: DictConfig, arguments: Sequence[str], multirun: bool
) -> list[list[str]]:
    """The overrides of each run of the grid that the arguments span.

    Args:
        multirun: sweep over `hydra.sweeper.params`, in which a preset states what it sweeps; an
            argument for the same option replaces it.

    Raises:
        OptionError: a grid cannot have these values.
    """
    parser = OverridesParser.create(config_loader=loader)
    given = parser.parse_overrides(list(arguments))
    pairs = list(zip(arguments, given, strict=True))
    if multirun:
        keys = {override.get_key_element() for override in given}
        params = (master.hydra.sweeper.params or {}).items()
        texts = [as_hydra_reads(f"{key}={values}", parser) for key, values in params]
        swept = zip(texts, parser.parse_overrides(texts), strict=True)
        pairs = [pair for pair in swept if pair[1].get_key_element() not in keys] + pairs
    check_grid([override for _, override in pairs])
    choices: dict[str, list[str]] = {}
    for text, override in pairs:
        key = override.get_key_element()
        if override.is_sweep_override():
            choices[key] = [f"{key}={value}" for value in override.sweep_string_iterator()]
        elif "${" in text:
            # Hydra cannot always read an interpolation that it has written.
            choices[key] = [text]
        else:
            choices[key] = [f"{key}={override.get_value_element_as_str()}"]
    return [list(overrides) for overrides in itertools.product(*choices.values())]


def plan(composer: Composer, batch: Sequence[Sequence[str]]) -> list[RunSpec]:
    """Compose, check and specify the run of each list of overrides.

    Raises:
        OptionError, HydraException, OmegaConfBaseException: a run is misconfigured.
    """
    identities: dict[str, CorpusIdentity] = {}
    specs: list[RunSpec] = []
    told_at = time.monotonic()
    for typed in batch:
        if time.monotonic() - told_at > SECONDS_BETWEEN_LINES:
            told_at = time.monotonic()
            print(f"planned {len(specs):,} of {len(batch):,} runs", flush=True)
        overrides = [with_plain_interpolations(override) for override in typed]
        config = checked_config(composer.compose(overrides))
        # Each corpus is read once, and only what identifies it is kept.
        if (key := str(config.data)) not in identities:
            identities[key] = CorpusIdentity.of(load_corpus(config))
        _check_writable(Path(config.output_dir))
        specs.append(RunSpec.of(config, identities[key], overrides))
    _check_adaptations(specs)
    return specs


def _check_adaptations(specs: Sequence[RunSpec]) -> None:
    """Refuse several values of an adaptation option, since they do not make several runs."""
    firsts: dict[Path, AdaptationConfig] = {}
    for spec in specs:
        adaptation = spec.config.adaptation
        first = firsts.setdefault(spec.folder, adaptation)
        for field in dataclasses.fields(AdaptationConfig):
            if getattr(first, field.name) != getattr(adaptation, field.name):
                raise OptionError(
                    f"adaptation.{field.name}",
                    "several values cannot be swept, because all belong to the same run: "
                    "type the command once for each",
                )


def _check_writable(folder: Path) -> None:
    """Check that the sweep can write its results to the folder, which is made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(
            "output_dir", f"{folder} cannot be made ({error.strerror}), a folder is needed"
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OptionError("output_dir", f"{folder} cannot be written to")
