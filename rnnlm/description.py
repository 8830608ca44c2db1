"""What a checkpoint says of its network, so that it can be used without the text it learned from.

The options of the corpus, the cell and the features, the vocabulary, what unknown tokens cost to
spell, and the words that the user taught: primitives, beside the weights.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from rnnlm.config import Config, model_schemas
from rnnlm.data import corpora
from rnnlm.data.corpus import Corpus
from rnnlm.data.spelling import Spelling
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.model.features import features
from rnnlm.model.language_model import LanguageModel
from rnnlm.module import FINGERPRINT
from rnnlm.options import OptionError, check

_GROUPS = ("data", "model", "features")
_NETWORK = "network."  # what the module puts before the names of the network's weights


class DescriptionError(Exception):
    """A checkpoint that does not say what its network is, or not truly: one line."""


def describe(config: Config, corpus: Corpus, fingerprint: str) -> dict[str, Any]:
    """What the checkpoints of a run say of its network."""
    options = {
        group: OmegaConf.to_container(
            OmegaConf.structured(getattr(config, group)), enum_to_str=True
        )
        for group in _GROUPS
    }
    return {
        FINGERPRINT: fingerprint,
        "options": options,
        "vocabulary": corpus.vocabulary.tokens,
        "spelling": corpus.spelling.costs,
        "corpus": corpus.kept(),
    }


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint, on the CPU.

    Raises:
        DescriptionError: it cannot be read.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise DescriptionError(f"{path} is no checkpoint") from error
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DescriptionError(f"{path} is no checkpoint that can be read ({reason})") from error
    if not isinstance(content, dict) or not isinstance(content.get("state_dict"), dict):
        raise DescriptionError(f"{path} is no checkpoint")
    if not {FINGERPRINT, "options", "vocabulary", "spelling"} <= content.keys():
        raise DescriptionError(
            f"{path} does not say what its vocabulary is, so an earlier version has written it; "
            "force=true trains the run again"
        )
    return content


def rebuild(checkpoint: Mapping[str, Any], path: Path) -> tuple[LanguageModel, Corpus]:
    """The network of a checkpoint, and its corpus: how text becomes tokens, without any text.

    Args:
        path: of the checkpoint, for messages.

    Raises:
        DescriptionError: what it says of itself does not go with its weights, or with this version.
    """
    schemas: dict[str, Mapping[str, type[Any]]] = {
        "data": {name: corpus.Config for name, corpus in corpora().items()},
        "model": model_schemas(),
        "features": {name: kind.Config for name, kind in features().items()},
    }
    options: dict[str, Any] = {}
    try:
        for group, known in schemas.items():
            given = checkpoint["options"][group]
            schema = OmegaConf.structured(known[given["name"]])
            options[group] = OmegaConf.to_object(OmegaConf.merge(schema, given))
            check(options[group], f"{group}.")
        vocabulary = Vocabulary(checkpoint["vocabulary"])
        spelling = Spelling(checkpoint["spelling"])
        corpus = corpora()[options["data"].name](options["data"])
        corpus.restore(checkpoint.get("corpus"))
    except (
        OmegaConfBaseException,
        OptionError,
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
    ) as error:
        reason = str(error).splitlines()[0]
        raise DescriptionError(f"{path} is of another version of rnnlm ({reason})") from error
    weights = {
        name.removeprefix(_NETWORK): weight
        for name, weight in checkpoint["state_dict"].items()
        if name.startswith(_NETWORK)
    }
    of_tokens = weights.get("output.bias")
    if of_tokens is None or len(of_tokens) != len(vocabulary):
        found = "none" if of_tokens is None else f"one of {len(of_tokens):,} tokens"
        raise DescriptionError(
            f"{path} is of another vocabulary: it names {len(vocabulary):,} tokens, "
            f"its weights are for {found}"
        )
    network = LanguageModel(len(vocabulary), options["model"], options["features"])
    try:
        network.to(of_tokens.dtype).load_state_dict(weights)
    except RuntimeError as error:
        raise DescriptionError(f"{path} holds other weights than its options ask for") from error
    corpus.vocabulary, corpus.spelling = vocabulary, spelling
    return network.eval(), corpus
