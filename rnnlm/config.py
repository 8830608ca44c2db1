"""The configuration of a run: the schemas of all groups, registered with Hydra and checked.

Each part of the package defines its own schema (`CorpusConfig`, `ModelConfig`, …). This file
combines them into one `Config`.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf

from rnnlm.baselines import baselines
from rnnlm.baselines.baseline import BaselineConfig
from rnnlm.data import corpora
from rnnlm.data.corpus import CorpusConfig
from rnnlm.evaluation.adaptation.options import AdaptationConfig
from rnnlm.generation.options import check_generation
from rnnlm.messages.familiar_names import meant_by
from rnnlm.model.cells import cells
from rnnlm.model.features import FeaturesConfig, features
from rnnlm.model.options import ModelConfig
from rnnlm.options import OptionError, check, option
from rnnlm.training.last_checkpoint import CheckpointConfig
from rnnlm.training.loggers import check_loggers
from rnnlm.training.optimizer import Averaging, OptimizerConfig, OptimizerName, Schedule
from rnnlm.training.samples import SamplesConfig
from rnnlm.training.trainer import EarlyStoppingConfig, TrainerConfig, check_trainer

# Files in conf/ use it so that `~` in `output_dir` is the home folder.
OmegaConf.register_new_resolver("expand_user", os.path.expanduser, replace=True)


@dataclass
class Config:
    """Everything that describes one run."""

    data: CorpusConfig = MISSING
    model: ModelConfig = MISSING
    features: FeaturesConfig = MISSING
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    early_stopping: EarlyStoppingConfig = field(default_factory=EarlyStoppingConfig)
    logger: dict[str, Any] = option(MISSING, affects_result=False)
    seed: int = option(1, minimum=0, maximum=2**32 - 1)
    output_dir: str = option("outputs", affects_result=False)
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)
    samples: SamplesConfig = field(default_factory=SamplesConfig)
    adaptation: AdaptationConfig = field(default_factory=AdaptationConfig)
    # Start again even if the run has completed, failed or been interrupted.
    force: bool = option(False, affects_result=False)
    # Try a failed run again.
    retry_failed: bool = option(True, affects_result=False)
    # The number of runs that may share a GPU. None: as many as its memory and the cores allow in a
    # sweep, see `runs_that_fit` in rnnlm/sweep/launchers/gpus.py.
    runs_per_gpu: int | None = option(None, minimum=1, affects_result=False)

    @property
    def is_baseline(self) -> bool:
        """Return True if the model is a baseline: it has no features, no seed and no training."""
        return isinstance(self.model, BaselineConfig)


def group_schemas() -> dict[str, dict[str, type[Any]]]:
    """The schema of every choice of the groups `data`, `model` and `features`, by name."""
    models: dict[str, type[Any]] = {name: cell.Config for name, cell in cells().items()}
    models |= {name: baseline.Config for name, baseline in baselines().items()}
    return {
        "data": {name: corpus.Config for name, corpus in corpora().items()},
        "model": models,
        "features": {name: kind.Config for name, kind in features().items()},
    }


def register_schemas() -> None:
    """Register every schema with Hydra; files in `conf/` then state only what differs from it."""
    store = ConfigStore.instance()
    store.store(name="schema", node=Config)
    for group, schemas in group_schemas().items():
        for name, schema in schemas.items():
            store.store(group=f"{group}/schema", name=name, node=schema(name=name))


def checked_config(composed: DictConfig) -> Config:
    """Convert a composed configuration to dataclasses and check every value.

    Raises:
        OptionError: names the first option with a value that is not allowed.
    """
    _refuse_additions(composed)
    config = OmegaConf.to_object(composed)
    assert isinstance(config, Config)
    check(config)
    if not config.output_dir.strip():
        raise OptionError("output_dir", "it is empty, a folder is needed")
    # Path.expanduser raises an error for an unknown user.
    config.output_dir = os.path.expanduser(config.output_dir)  # noqa: PTH111
    for group, schemas in group_schemas().items():
        if (name := getattr(config, group).name) not in schemas:
            known = ", ".join(sorted(schemas))
            raise OptionError(f"{group}.name", f"{name!r} is not one of {known}")
    _check_optimizer(config)
    check_trainer(config.trainer)
    check_generation(config.samples, "samples.")
    check_loggers(config.logger)
    return config


def _check_optimizer(config: Config) -> None:
    """Refuse options of the optimizer that contradict one another or the trainer's."""
    optimizer, trainer = config.optimizer, config.trainer
    if optimizer.momentum and optimizer.name is not OptimizerName.sgd:
        raise OptionError("optimizer.momentum", "only optimizer=sgd has it")
    if optimizer.schedule is Schedule.plateau and trainer.check_val_every_n_epoch > 1:
        raise OptionError("optimizer.schedule", "plateau needs trainer.check_val_every_n_epoch=1")
    start = optimizer.averaging_start
    averages = optimizer.averaging is Averaging.equal
    if averages and start is not None and start >= trainer.max_epochs:
        raise OptionError(
            "optimizer.averaging_start",
            f"{start} is not before trainer.max_epochs={trainer.max_epochs}, "
            "the average would never begin",
        )


def no_such_option(name: str) -> OptionError:
    """The error for an unknown option; it names the option that was most likely meant."""
    if name in _option_names():
        group = name.partition(".")[0]
        return OptionError(name, f"the chosen {group} has no such option")
    meant = option_meant_by(name)
    return OptionError(name, "no such option" + (f", did you mean {meant}?" if meant else ""))


def option_meant_by(name: str) -> str | None:
    """Guess the option that a user means by the name of an unknown one.

    The guess is an option with the same last part, one that other projects call by that name, or
    one with a similar spelling.
    """
    known = _option_names()
    last_parts = {option.rpartition(".")[2]: option for option in reversed(known)}
    last = name.rpartition(".")[2].replace("-", "_")
    if meant := last_parts.get(last) or meant_by(name):
        return meant
    if near := difflib.get_close_matches(name, known, n=1):
        return near[0]
    near = difflib.get_close_matches(last, last_parts, n=1, cutoff=0.75)
    return last_parts[near[0]] if near else None


def _option_names() -> list[str]:
    """The dotted names of all options, of every choice of every group."""
    names = [field.name for field in dataclasses.fields(Config)]
    choices = group_schemas()
    for group, schema in get_type_hints(Config).items():
        for choice in choices.get(group, {group: schema}).values():
            if dataclasses.is_dataclass(choice):
                names += [f"{group}.{field.name}" for field in dataclasses.fields(choice)]
    return names


def _refuse_additions(node: DictConfig, prefix: str = "") -> None:
    """Refuse what `+option=value` has added to a schema, since nothing would read it."""
    schema = OmegaConf.get_type(node)
    if not dataclasses.is_dataclass(schema):
        return
    known = {field.name for field in dataclasses.fields(schema)}
    for key in node:
        name = f"{prefix}{key!s}"
        if key not in known:
            raise no_such_option(name)
        if not OmegaConf.is_missing(node, key) and OmegaConf.is_dict(node[key]):
            _refuse_additions(node[key], f"{name}.")
