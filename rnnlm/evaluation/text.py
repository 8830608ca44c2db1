"""Metrics of any text under a trained network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from rnnlm.data.batching import Batching
from rnnlm.data.evaluation_batches import CONTEXT, for_evaluation
from rnnlm.data.tokenizer import Tokenizer
from rnnlm.data.tokens.vocabulary import BEGIN_ID
from rnnlm.metrics import Total
from rnnlm.model.language_model import LanguageModel, State
from rnnlm.options import OptionError

# A text of at most this many tokens is measured exactly as a split is. A longer one is measured in
# parts, which need less memory.
PART_TOKENS = 2**20


@dataclass(frozen=True)
class Evaluation:
    """The metrics of a text, and the share of its predicted tokens that are unknown."""

    loss: float
    ppl: float
    bpc: float
    unknown_rate: float
    num_tokens: int
    num_chars: int

    def to_dict(self) -> dict[str, float]:
        """Return plain JSON values."""
        return asdict(self)


@torch.no_grad()
def evaluate(
    network: LanguageModel, tokenizer: Tokenizer, path: Path, encoding: str | None = None
) -> Evaluation:
    """Measure the text of a file, cleaned and tokenized as the network's own text was.

    Args:
        encoding: the file's, if it is known.

    Raises:
        OptionError: the file cannot be read, is larger than 1 GiB, or holds no text.
    """
    split = tokenizer.read_file(path, encoding)
    if not split.num_tokens:
        raise OptionError("text", f"{path} has nothing to predict")
    network.eval()
    device = network.output.weight.device
    batching = tokenizer.corpus.config.batching
    total = Total()
    with tqdm(
        total=split.num_tokens, unit=" tokens", unit_scale=True, leave=False, disable=None
    ) as bar:
        for ids_N, given in parts(split.ids_N, batching is Batching.documents):
            state: State | None = None
            for batch in for_evaluation(batching, ids_N, split.begin_id, given).to(device):
                carried = None if batch.starts else state
                nats, state = network.nats(batch.inputs_TB, batch.targets_TB, carried)
                total.add(nats, batch.num_tokens)
                bar.update(batch.num_tokens)
    return Evaluation(
        **split.metrics(total.nats).to_dict(),  # type: ignore[arg-type]
        unknown_rate=split.unknown_rate,
    )


def parts(ids_N: Tensor, by_document: bool) -> Iterator[tuple[Tensor, int]]:
    """Yield the tokens of a text, (N,), in parts, and how many of each are given, not predicted.

    A part begins with the last tokens of the one before, as much context as each stream has. If
    each document is measured by itself, none is cut.
    """
    if not by_document:
        yield ids_N[:PART_TOKENS], 1
        for start in range(PART_TOKENS, len(ids_N), PART_TOKENS):
            context = min(CONTEXT, start)
            yield ids_N[start - context : start + PART_TOKENS], context
        return
    # Documents that begin in the same block of tokens are one part.
    begins_D = (ids_N == BEGIN_ID).nonzero().flatten()
    block_D = begins_D // PART_TOKENS
    starts = begins_D[1:][block_D[1:] != block_D[:-1]]
    for part_N in torch.tensor_split(ids_N, starts.tolist()):
        yield part_N, 1
