"""The typed configuration of a run: the schemas of all groups, put together and checked.

Each part's schema stands beside the part (`CorpusConfig`, `ModelConfig`, …); this file makes one
`Config` of them, tells Hydra about them, and turns what Hydra composed into checked dataclasses.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf

from rnnlm.baselines import baselines
from rnnlm.baselines.baseline import BaselineConfig
from rnnlm.data import corpora
from rnnlm.data.corpus import CorpusConfig
from rnnlm.data.preparation import NOT_IN_KEY
from rnnlm.evaluation.adaptation.options import AdaptationConfig
from rnnlm.generation.options import check_generation
from rnnlm.messages.familiar_names import meant_by
from rnnlm.model.cells import cells
from rnnlm.model.features import EmbedConfig, FeaturesConfig, features
from rnnlm.model.options import ModelConfig
from rnnlm.options import OptionError, check, option, result_options
from rnnlm.training.averaging import Averaging
from rnnlm.training.loggers import check_loggers
from rnnlm.training.optimizer import OptimizerConfig, OptimizerName, Schedule
from rnnlm.training.resume import CheckpointConfig
from rnnlm.training.samples import SamplesConfig
from rnnlm.training.trainer import EarlyStoppingConfig, TrainerConfig, check_trainer

# `~` is the home folder wherever a file of conf/ speaks of `output_dir`.
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
    # Start over what is completed, has failed or has been interrupted.
    force: bool = option(False, affects_result=False)
    # Try again what has failed; without it, such runs are left as they are.
    retry_failed: bool = option(True, affects_result=False)
    # How many runs may share a GPU; `leased_gpu` in rnnlm/sweep/launchers/lease.py says more.
    runs_per_gpu: int = option(1, minimum=1, affects_result=False)


def register_schemas() -> None:
    """Give Hydra the schema of every group; `conf/` then states only what differs from them."""
    store = ConfigStore.instance()
    store.store(name="schema", node=Config)
    for name, corpus in corpora().items():
        store.store(group="data/schema", name=name, node=corpus.Config(name=name))
    for name, schema in model_schemas().items():
        store.store(group="model/schema", name=name, node=schema(name=name))
    for name, kind in features().items():
        store.store(group="features/schema", name=name, node=kind.Config(name=name))


def model_schemas() -> dict[str, type[ModelConfig]]:
    """The schema of every model: the cells, and the baselines."""
    schemas: dict[str, type[ModelConfig]] = {n: cell.Config for n, cell in cells().items()}
    return schemas | {n: baseline.Config for n, baseline in baselines().items()}


def checked(composed: DictConfig) -> Config:
    """The configuration that Hydra composed, as dataclasses whose every value is allowed.

    Raises:
        OptionError: names the first option whose value is not.
    """
    _refuse_additions(composed)
    config = OmegaConf.to_object(composed)
    assert isinstance(config, Config)
    check(config)
    if not config.output_dir.strip():
        raise OptionError("output_dir", "it is empty, a folder is needed")
    # Path's own refuses a user that there is not.
    config.output_dir = os.path.expanduser(config.output_dir)  # noqa: PTH111
    for group, name, known in (
        ("data.name", config.data.name, corpora()),
        ("model.name", config.model.name, model_schemas()),
        ("features.name", config.features.name, features()),
    ):
        if name not in known:
            raise OptionError(group, f"{name!r} is not one of {', '.join(sorted(known))}")
    embeds = isinstance(config.features, EmbedConfig)
    if config.model.tie_weights and not is_baseline(config) and not embeds:
        raise OptionError("model.tie_weights", "only features=embed has an embedding to tie")
    if config.optimizer.momentum and config.optimizer.name is not OptimizerName.sgd:
        raise OptionError("optimizer.momentum", "only optimizer=sgd has it")
    if config.optimizer.schedule is Schedule.plateau and config.trainer.check_val_every_n_epoch > 1:
        raise OptionError("optimizer.schedule", "plateau needs trainer.check_val_every_n_epoch=1")
    start = config.optimizer.averaging_start
    averages = config.optimizer.averaging is Averaging.equal
    if averages and start is not None and start >= config.trainer.max_epochs:
        raise OptionError(
            "optimizer.averaging_start",
            f"{start} is not before trainer.max_epochs={config.trainer.max_epochs}, "
            "the average would never begin",
        )
    check_trainer(config.trainer)
    check_generation(config.samples, "samples.")
    check_loggers(config.logger)
    return config


def no_such_option(name: str) -> OptionError:
    """The error for an option that is not in the schema, with the one that is most likely meant."""
    if name in _option_names():
        group = name.partition(".")[0]
        return OptionError(name, f"the chosen {group} has no such option")
    meant = option_meant_by(name)
    return OptionError(name, "no such option" + (f", did you mean {meant}?" if meant else ""))


def option_meant_by(name: str) -> str | None:
    """The option that somebody means who gives one that does not exist.

    It is one of the same name in a group, one that other projects call so, or one spelt alike.
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
    """Every option of every group, whichever of the group's choices has it."""
    names = [field.name for field in dataclasses.fields(Config)]
    groups: dict[str, list[type[Any]]] = {
        "data": [corpus.Config for corpus in corpora().values()],
        "model": list(model_schemas().values()),
        "features": [kind.Config for kind in features().values()],
        "optimizer": [OptimizerConfig],
        "trainer": [TrainerConfig],
        "early_stopping": [EarlyStoppingConfig],
        "checkpoint": [CheckpointConfig],
        "samples": [SamplesConfig],
        "adaptation": [AdaptationConfig],
    }
    for group, schemas in groups.items():
        for schema in schemas:
            names += [f"{group}.{field.name}" for field in dataclasses.fields(schema)]
    return names


def _refuse_additions(node: DictConfig, prefix: str = "") -> None:
    """What `+option=value` adds is no option: nothing would ever read it."""
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


def is_baseline(config: Config) -> bool:
    """Whether the model is not a network: it has no features, no seed, and nothing is trained."""
    return isinstance(config.model, BaselineConfig)


def deciding_options(config: Config) -> dict[str, Any]:
    """The options that decide a run's result, by dotted name; of a baseline these are few."""
    options = result_options(config)
    if not is_baseline(config):
        return options
    without_effect = {f"data.{name}" for name in NOT_IN_KEY}
    without_effect |= {f"model.{f.name}" for f in dataclasses.fields(ModelConfig)} - {"model.name"}
    return {
        name: value
        for name, value in options.items()
        if name.startswith(("data.", "model.")) and name not in without_effect
    }


def default_options(config: Config) -> dict[str, Any]:
    """What `deciding_options` would be had nothing but the choice of each group been given."""
    default = Config(
        data=type(config.data)(name=config.data.name),
        model=type(config.model)(name=config.model.name),
        features=type(config.features)(name=config.features.name),
        logger={},
    )
    return deciding_options(default)


def fingerprint(config: Config, corpus: str) -> str:
    """What identifies a run: a hash of all that its result depends on.

    Args:
        corpus: the identity of what the tokens are made of.
    """
    described = {**deciding_options(config), "corpus": corpus}
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:16]
