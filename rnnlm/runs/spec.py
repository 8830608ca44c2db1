"""A run before it is carried out: everything that its configuration and its corpus decide."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnlm.config import Config
from rnnlm.data.preparation import OPTIONS_WITHOUT_EFFECT_ON_TOKENS, CorpusIdentity
from rnnlm.evaluation.adaptation.options import (
    AdaptationVariant,
    folder_name,
    label,
    options_of,
    variants_of,
)
from rnnlm.files.run_files import ADAPTATION
from rnnlm.model.features import check_tying
from rnnlm.model.options import ModelConfig
from rnnlm.model.size import meet_budget
from rnnlm.options import result_options
from rnnlm.results.record import FAILED, Record
from rnnlm.runs.folder import free_folder, setting_name
from rnnlm.runs.provenance import git_revision, now, versions


@dataclass(frozen=True)
class RunSpec:
    """A run: what is trained or measured, on which corpus, and in which folder.

    It is made once in each process and handed on; nothing else computes what it holds.
    """

    config: Config  # with the hidden size that meets `model.num_parameters`
    corpus: CorpusIdentity
    overrides: Sequence[str]  # as typed on the command line
    # The options that decide the result, by dotted name.
    options: Mapping[str, Any]
    fingerprint: str
    folder: Path
    # A baseline has none of these, and needs no GPU.
    features: str | None = None
    seed: int | None = None
    precision: str | None = None
    variants: Sequence[AdaptationVariant] = ()
    accelerator: str = "cpu"

    @classmethod
    def of(cls, config: Config, corpus: CorpusIdentity, overrides: Sequence[str]) -> RunSpec:
        """Specify the run of a checked configuration.

        Raises:
            OptionError: no network with its cell and features can be built as asked.
        """
        network_only: dict[str, Any] = {}
        if config.is_baseline:
            deciding_options, parts = _baseline_options, [config.model.name]
        else:
            deciding_options = result_options
            config = _with_sizes(config, corpus.vocab_size)
            parts = [f"{config.model.name}-{config.features.name}", f"seed{config.seed}"]
            network_only = {
                "features": config.features.name,
                "seed": config.seed,
                "precision": config.trainer.precision,
                "variants": variants_of(config.adaptation),
                "accelerator": config.trainer.accelerator,
            }
        options = deciding_options(config)
        identifier = fingerprint(options, corpus.identity)
        defaults = deciding_options(_defaults(config))
        setting = setting_name(config, options, defaults, corpus.identity)
        folder = free_folder(Path(config.output_dir, setting, *parts), identifier)
        return cls(config, corpus, overrides, options, identifier, folder, **network_only)

    @property
    def name(self) -> str:
        """The name of the run in messages, such as `tang lstm-embed seed 1`."""
        rest = f"-{self.features} seed {self.seed}" if self.features else ""
        return f"{self.config.data.name} {self.config.model.name}{rest}"

    @property
    def variant_folders(self) -> dict[AdaptationVariant, Path]:
        """The folder of each adaptation variant, below the run's."""
        folder, config = self.folder / ADAPTATION, self.config.adaptation
        return {variant: folder / folder_name(variant, config) for variant in self.variants}

    def new_record(self) -> Record:
        """The record of the run as it starts; its status is failed until it completes."""
        return Record(
            status=FAILED,
            data=self.config.data.name,
            source=self.config.data.source,
            text_sha256=self.corpus.text_sha256,
            held_out_sha256=self.corpus.held_out_sha256,
            vocab_size=self.corpus.vocab_size,
            model=self.config.model.name,
            features=self.features,
            seed=self.seed,
            fingerprint=self.fingerprint,
            overrides=list(self.overrides),
            options=dict(self.options),
            precision=self.precision,
            versions=versions(),
            git_revision=git_revision(),
            started_at=now(),
        )

    def new_variant_record(self, run: Record, variant: AdaptationVariant) -> Record:
        """The record of an adaptation variant before it is measured.

        Args:
            run: the record of the completed run.
        """
        return dataclasses.replace(
            self.new_record(),
            model=f"{run.model}+{label(variant)}",
            source=run.source,
            options={**run.options, **options_of(variant, self.config.adaptation)},
            num_parameters=run.num_parameters,
            oov_rate=run.oov_rate,
            epochs=run.epochs,
            best_epoch=run.best_epoch,
            adaptation={},
            precision=None,  # it may differ from the training's
        )


def fingerprint(options: Mapping[str, Any], corpus: str) -> str:
    """Identify a run by a hash of everything that its result depends on.

    Args:
        options: the options that decide the result, by dotted name.
        corpus: the identity of the corpus.
    """
    described = {**options, "corpus": corpus}
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:16]


def _with_sizes(config: Config, vocab_size: int) -> Config:
    """The configuration with the sizes that meet `model.num_parameters`."""
    check_tying(config.model, config.features)
    model, features = meet_budget(vocab_size, config.model, config.features)
    return dataclasses.replace(config, model=model, features=features)


def _baseline_options(config: Config) -> dict[str, Any]:
    """The options that decide the result of a baseline: its own, and those of its tokens."""
    without_effect = {f"data.{name}" for name in OPTIONS_WITHOUT_EFFECT_ON_TOKENS}
    without_effect |= {f"model.{f.name}" for f in dataclasses.fields(ModelConfig)} - {"model.name"}
    return {
        name: value
        for name, value in result_options(config).items()
        if name.startswith(("data.", "model.")) and name not in without_effect
    }


def _defaults(config: Config) -> Config:
    """The configuration that results when only the choices of the groups are given."""
    return Config(
        data=type(config.data)(name=config.data.name),
        model=type(config.model)(name=config.model.name),
        features=type(config.features)(name=config.features.name),
        logger={},
    )
