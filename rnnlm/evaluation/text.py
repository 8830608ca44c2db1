"""Any text under a trained network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from rnnlm.data.batching import EVALUATION_STREAM, Batching, for_evaluation
from rnnlm.data.corpus import Corpus
from rnnlm.data.vocabulary import BEGIN_ID, UNKNOWN_ID
from rnnlm.metrics import Metrics, Total
from rnnlm.model.language_model import LanguageModel, State
from rnnlm.options import OptionError

# A text of at most so many tokens is measured as a split is, and so to the same bits; of a longer
# one each part starts from the zero state, as each stream of a split does.
PART_TOKENS = 64 * EVALUATION_STREAM


@dataclass(frozen=True)
class Evaluation:
    """How well a model predicts a text: `Metrics`, and the share of its tokens that are unknown."""

    loss: float
    ppl: float
    bpc: float
    unknown_rate: float
    num_tokens: int
    num_chars: int

    def to_dict(self) -> dict[str, float]:
        """As plain JSON values."""
        return asdict(self)


@torch.no_grad()
def evaluate(
    network: LanguageModel, corpus: Corpus, path: Path, encoding: str | None = None
) -> Evaluation:
    """Measure the text of a file, cleaned and tokenised as the corpus does it.

    Args:
        encoding: of the file, if it is known.

    Raises:
        OptionError: the file cannot be read, or holds no text.
    """
    split = corpus.read_file(path, encoding)
    if not split.num_tokens:
        raise OptionError("text", f"{path} has nothing to predict")
    network.eval()
    device = network.output.weight.device
    batching = corpus.config.batching
    total = Total()
    with tqdm(
        total=split.num_tokens, unit=" tokens", unit_scale=True, leave=False, disable=None
    ) as bar:
        for ids_N in _parts(split.ids_N, batching is Batching.documents):
            state: State | None = None
            for batch in for_evaluation(batching, ids_N, split.begin_id).to(device):
                carried = None if batch.starts else state
                nats, state = network.nats(batch.inputs_TB, batch.targets_TB, carried)
                total.add(nats, batch.num_tokens)
                bar.update(batch.num_tokens)
    metrics = Metrics.of(total.nats, total.num_tokens, split.num_chars, split.unknown_nats)
    unknown = int((split.predicted_N == UNKNOWN_ID).sum())
    return Evaluation(
        **metrics.to_dict(),  # type: ignore[arg-type]
        unknown_rate=unknown / total.num_tokens,
    )


def _parts(ids_N: Tensor, by_document: bool) -> Iterator[Tensor]:
    """The tokens of a text, (N,), in parts: each begins with what the one before ends with.

    Where each document is measured by itself, none is cut.
    """
    if not by_document:
        for start in range(0, len(ids_N) - 1, PART_TOKENS - 1):
            yield ids_N[start : start + PART_TOKENS]
        return
    # The documents that begin within so many tokens are a part.
    begins_D = (ids_N == BEGIN_ID).nonzero().flatten()
    block_D = begins_D // PART_TOKENS
    starts = begins_D[1:][block_D[1:] != block_D[:-1]]
    yield from torch.tensor_split(ids_N, starts.tolist())
