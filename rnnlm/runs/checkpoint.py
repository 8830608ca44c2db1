"""Checkpoints that describe their network, so that it can be used without its training text.

Besides the weights, such a checkpoint holds plain values: the options of the corpus, the cell and
the features; the vocabulary; the cost in nats of each character of an unknown token; and the words
of `data.user_dict`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import msgspec
import torch
from omegaconf import OmegaConf
from torch import Tensor

from rnnlm.config import Config
from rnnlm.data import corpora
from rnnlm.data.tokenizer import Tokenizer
from rnnlm.messages.legible import legible
from rnnlm.model.cells import cells
from rnnlm.model.features import check_tying, features
from rnnlm.model.language_model import LanguageModel
from rnnlm.options import OptionError, check
from rnnlm.training.checkpoint_file import CheckpointError, read_checkpoint_file
from rnnlm.training.module import FINGERPRINT

_GROUPS = ("data", "model", "features")
# The dtypes that weights may have.
DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
_NETWORK = "network."  # the prefix of the network's weights in the module


class DescriptionError(Exception):
    """A checkpoint does not describe its network, or describes another: one line."""


def describe(config: Config, tokenizer: Tokenizer, fingerprint: str) -> dict[str, Any]:
    """Return what the checkpoints of a run say of its network."""
    options = {
        group: OmegaConf.to_container(
            OmegaConf.structured(getattr(config, group)), enum_to_str=True
        )
        for group in _GROUPS
    }
    return {FINGERPRINT: fingerprint, "options": options, **tokenizer.kept()}


def read_described_checkpoint(path: Path) -> dict[str, Any]:
    """Return the content of a checkpoint that describes its network, on the CPU.

    Raises:
        DescriptionError: it is damaged, or does not describe its network.
    """
    try:
        content = read_checkpoint_file(path)
    except CheckpointError as error:
        raise DescriptionError(str(error)) from error
    except OSError as error:
        raise DescriptionError(f"{path} cannot be read ({error.strerror or error})") from error
    if not isinstance(content.get("state_dict"), dict):
        raise DescriptionError(f"{path} is no checkpoint")
    if not {FINGERPRINT, "options", "vocabulary", "spelling"} <= content.keys():
        raise DescriptionError(
            f"{path} does not say what its vocabulary is, so an earlier version has written it; "
            "force=true trains the run again"
        )
    return content


@dataclass(frozen=True)
class _Description:
    """The keys of a checkpoint that describe its network; all others belong to Lightning."""

    options: dict[str, dict[str, Any]]
    vocabulary: list[str]
    spelling: dict[str, Annotated[float, msgspec.Meta(ge=0)]]  # nats
    state_dict: dict[str, Any]
    corpus: Any = None  # words of data.user_dict; earlier versions kept none


def rebuild(checkpoint: Mapping[str, Any], path: Path) -> tuple[LanguageModel, Tokenizer]:
    """Return the network of a checkpoint, and its tokenizer.

    The description is compared with the weights before memory is taken for a network.

    Args:
        path: the path of the checkpoint, for messages.

    Raises:
        DescriptionError: the description does not fit the weights, or this version of rnnlm.
    """
    try:
        described = msgspec.convert(dict(checkpoint), _Description)
        options = _options(described.options)
        tokenizer = Tokenizer.restored(
            corpora()[options["data"].name](options["data"]),
            described.vocabulary,
            described.spelling,
            described.corpus,
        )
        check_tying(options["model"], options["features"])
    except (msgspec.ValidationError, OptionError, KeyError, ValueError) as error:
        reason = f"its options lack {error}" if isinstance(error, KeyError) else legible(str(error))
        raise DescriptionError(f"{path} is of another version of rnnlm ({reason})") from error
    weights = _weights(described.state_dict, path)
    vocab_size, bias = len(tokenizer.vocabulary), weights.get("output.bias")
    if bias is None or bias.shape != (vocab_size,):
        found = "none" if bias is None else f"one of {bias.numel():,} tokens"
        raise DescriptionError(
            f"{path} is of another vocabulary: it names {vocab_size:,} tokens, "
            f"its weights are for {found}"
        )
    shapes = {name: weight.shape for name, weight in weights.items()}
    if _shapes(vocab_size, options, weights) != shapes or (
        options["model"].tie_weights
        and not torch.equal(weights["features.embedding.weight"], weights["output.weight"])
    ):
        raise DescriptionError(f"{path} holds other weights than its options ask for")
    network = LanguageModel(vocab_size, options["model"], options["features"])
    network.to(bias.dtype).load_state_dict(weights)
    return network.eval(), tokenizer


def _options(described: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the options of each group, converted to its schema."""
    schemas: dict[str, Mapping[str, type[Any]]] = {
        "data": {name: corpus.Config for name, corpus in corpora().items()},
        "model": {name: cell.Config for name, cell in cells().items()},
        "features": {name: kind.Config for name, kind in features().items()},
    }
    options: dict[str, Any] = {}
    for group, known in schemas.items():
        given = described[group]
        name = given["name"]
        if not isinstance(name, str) or name not in known:
            raise ValueError(f"{group}.name: {name!r} is not one of {', '.join(known)}")
        if unknown := given.keys() - {field.name for field in fields(known[name])}:
            raise ValueError(f"{group} has no option {min(map(str, unknown))}")
        options[group] = msgspec.convert(given, known[name])
        check(options[group], f"{group}.")
    return options


def _weights(state_dict: Mapping[str, Any], path: Path) -> dict[str, Tensor]:
    """Return the weights of the network."""
    weights = {
        name.removeprefix(_NETWORK): weight
        for name, weight in state_dict.items()
        if name.startswith(_NETWORK)
    }
    dtypes = {weight.dtype for weight in weights.values() if isinstance(weight, Tensor)}
    for weight in weights.values():
        # A tensor may claim more numbers than its storage holds, by repeating them.
        if (
            not isinstance(weight, Tensor)
            or weight.layout is not torch.strided
            or weight.device.type != "cpu"
            or weight.dtype not in DTYPES
            or len(dtypes) > 1
            or weight.numel() * weight.element_size() > weight.untyped_storage().nbytes()
            or not weight.isfinite().all()
        ):
            raise DescriptionError(f"{path} holds weights that are no arrays of finite numbers")
    return weights


def _shapes(
    vocab_size: int, options: Mapping[str, Any], weights: Mapping[str, Tensor]
) -> dict[str, torch.Size] | None:
    """Return the shapes of the weights that the options ask for; None if no network has them."""
    # Even on the meta device a layer takes time to build: first refuse sizes larger than the number
    # of weights in the file.
    model, embedding_size = options["model"], getattr(options["features"], "embedding_size", None)
    sizes = (model.hidden_size, embedding_size or vocab_size)
    if model.num_layers > len(weights) or max(sizes) > sum(map(torch.numel, weights.values())):
        return None
    try:
        with torch.device("meta"):
            network = LanguageModel(vocab_size, options["model"], options["features"])
    except RuntimeError:  # more numbers than can be counted
        return None
    return {name: weight.shape for name, weight in network.state_dict().items()}
