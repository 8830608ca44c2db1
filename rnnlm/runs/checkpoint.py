"""What a checkpoint says of its network, so that it can be used without the text it learned from.

The options of the corpus, the cell and the features, the vocabulary, what unknown tokens cost to
spell, and the words that the user taught: primitives, beside the weights.
"""

from __future__ import annotations

import math
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
from rnnlm.data.batching import Batching
from rnnlm.data.corpus import Corpus
from rnnlm.data.spelling import ESCAPE, Spelling
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.messages.legible import legible
from rnnlm.model.cells import cells
from rnnlm.model.features import EmbedConfig, features
from rnnlm.model.language_model import LanguageModel
from rnnlm.options import OptionError, check
from rnnlm.training.checkpoint_file import CheckpointError, read_checkpoint_file
from rnnlm.training.module import FINGERPRINT

_GROUPS = ("data", "model", "features")
# What weights may be kept in.
DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
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
        DescriptionError: it is damaged, or says nothing of itself.
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
    """The keys of a checkpoint that describe its network; all others are Lightning's."""

    options: dict[str, dict[str, Any]]
    vocabulary: list[str]
    # Nats.
    spelling: dict[str, Annotated[float, msgspec.Meta(ge=0)]]
    state_dict: dict[str, Any]
    # Words that the user taught; earlier versions kept none.
    corpus: Any = None


def rebuild(checkpoint: Mapping[str, Any], path: Path) -> tuple[LanguageModel, Corpus]:
    """The network of a checkpoint, and its corpus: how text becomes tokens, without any text.

    All that it says is compared with the weights that it holds before memory is taken for them.

    Args:
        path: of the checkpoint, for messages.

    Raises:
        DescriptionError: what it says of itself does not go with its weights, or with this version.
    """
    try:
        said = msgspec.convert(dict(checkpoint), _Description)
        options = _options(said)
        vocabulary, spelling = Vocabulary(said.vocabulary), Spelling(said.spelling)
        corpus = corpora()[options["data"].name](options["data"])
        corpus.restore(said.corpus)
        _check(corpus, vocabulary, spelling, options)
    except (msgspec.ValidationError, OptionError, KeyError, ValueError) as error:
        reason = f"its options lack {error}" if isinstance(error, KeyError) else legible(str(error))
        raise DescriptionError(f"{path} is of another version of rnnlm ({reason})") from error
    weights = _weights(said.state_dict, path)
    of_tokens = weights.get("output.bias")
    if of_tokens is None or of_tokens.shape != (len(vocabulary),):
        found = "none" if of_tokens is None else f"one of {of_tokens.numel():,} tokens"
        raise DescriptionError(
            f"{path} is of another vocabulary: it names {len(vocabulary):,} tokens, "
            f"its weights are for {found}"
        )
    shapes = {name: weight.shape for name, weight in weights.items()}
    if _shapes(len(vocabulary), options, weights) != shapes or (
        options["model"].tie_weights
        and not torch.equal(weights["features.embedding.weight"], weights["output.weight"])
    ):
        raise DescriptionError(f"{path} holds other weights than its options ask for")
    network = LanguageModel(len(vocabulary), options["model"], options["features"])
    network.to(of_tokens.dtype).load_state_dict(weights)
    corpus.vocabulary, corpus.spelling = vocabulary, spelling
    return network.eval(), corpus


def _options(said: _Description) -> dict[str, Any]:
    """The options of each group, as its schema has them.

    Raises:
        ValidationError, OptionError, KeyError, ValueError: they are none of this version's.
    """
    schemas: dict[str, Mapping[str, type[Any]]] = {
        "data": {name: corpus.Config for name, corpus in corpora().items()},
        "model": {name: cell.Config for name, cell in cells().items()},
        "features": {name: kind.Config for name, kind in features().items()},
    }
    options: dict[str, Any] = {}
    for group, known in schemas.items():
        given = said.options[group]
        name = given["name"]
        if not isinstance(name, str) or name not in known:
            raise ValueError(f"{group}.name: {name!r} is not one of {', '.join(known)}")
        if unknown := given.keys() - {field.name for field in fields(known[name])}:
            raise ValueError(f"{group} has no option {min(map(str, unknown))}")
        options[group] = msgspec.convert(given, known[name])
        check(options[group], f"{group}.")
    return options


def _check(
    corpus: Corpus, vocabulary: Vocabulary, spelling: Spelling, options: Mapping[str, Any]
) -> None:
    """Refuse what does not go together.

    Raises:
        ValueError: says what.
    """
    "".join(vocabulary.tokens).encode()  # half of a surrogate pair is no text
    if ESCAPE not in spelling.costs:
        raise ValueError("it does not say what a character costs that it has not seen")
    if not all(map(math.isfinite, spelling.costs.values())):
        raise ValueError("a cost of spelling is not finite")
    in_documents = corpus.in_documents or options["data"].batching is Batching.documents
    if vocabulary.bounded != in_documents:
        raise ValueError("its vocabulary and data.batching differ in whether texts are documents")
    if len(vocabulary) <= (3 if vocabulary.bounded else 1):
        raise ValueError("its vocabulary names no token")
    if options["model"].tie_weights and not isinstance(options["features"], EmbedConfig):
        raise ValueError("model.tie_weights: only features=embed has an embedding to tie")


def _weights(state_dict: Mapping[str, Any], path: Path) -> dict[str, Tensor]:
    """The weights of the network, which are arrays of finite numbers.

    Raises:
        DescriptionError: what should be one is none.
    """
    weights = {
        name.removeprefix(_NETWORK): weight
        for name, weight in state_dict.items()
        if name.startswith(_NETWORK)
    }
    dtypes = {weight.dtype for weight in weights.values() if isinstance(weight, Tensor)}
    for weight in weights.values():
        # A small array may say that it is a large one, which repeats.
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
    """The shapes of the weights that the options ask for; None where no network has such."""
    # Of what is larger than all weights together nothing is made: layers without memory take time.
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
