"""Any text under a trained network, however long: it is read, numbered and measured in parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from rnnlm.data.batching import EVALUATION_STREAM, Batching, for_evaluation
from rnnlm.data.corpus import Corpus, numbered
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
def evaluate(network: LanguageModel, corpus: Corpus, path: Path) -> Evaluation:
    """Measure the text of a file, cleaned and tokenised as the corpus does it.

    Raises:
        OptionError: the file cannot be read, or holds no text.
    """
    network.eval()
    device = network.output.weight.device
    total, counts = Total(), _Counts()
    with tqdm(unit=" tokens", unit_scale=True, leave=False, disable=None) as bar:
        for ids_N in _parts(corpus, path, counts):
            begin_id = BEGIN_ID if corpus.vocabulary.bounded else None
            state: State | None = None
            for batch in for_evaluation(corpus.config.batching, ids_N, begin_id).to(device):
                carried = None if batch.starts else state
                nats, state = network.nats(batch.inputs_TB, batch.targets_TB, carried)
                total.add(nats, batch.num_tokens)
                bar.update(batch.num_tokens)
    if not total.num_tokens:
        raise OptionError("text", f"{path} has nothing to predict")
    metrics = Metrics.of(total.nats, total.num_tokens, counts.characters, counts.unknown_nats)
    return Evaluation(
        **metrics.to_dict(),  # type: ignore[arg-type]
        unknown_rate=counts.unknown / total.num_tokens,
    )


class _Counts:
    """What is counted while a text is numbered."""

    characters = unknown = 0
    unknown_nats = 0.0


def _parts(corpus: Corpus, path: Path, counts: _Counts) -> Iterator[Tensor]:
    """The tokens of a text, (N,), in parts: each begins with what the one before ends with.

    Where each document is measured by itself, none is cut.
    """
    by_document = corpus.config.batching is Batching.documents
    part = torch.empty(0, dtype=torch.long)
    for piece in corpus.stream(path):
        split = numbered(piece, corpus.vocabulary, corpus.spelling)
        counts.characters += split.num_chars
        counts.unknown += int((split.ids[piece.first_is_given :] == UNKNOWN_ID).sum())
        counts.unknown_nats += split.unknown_nats
        ids_N = torch.from_numpy(split.ids).long()
        part = torch.cat([part, ids_N])
        while len(part) > PART_TOKENS:
            cut = PART_TOKENS
            if by_document:
                begins = (part == BEGIN_ID).nonzero().flatten()
                inside = begins[(begins > 0) & (begins <= PART_TOKENS)]
                if not len(inside):
                    break
                cut = int(inside[-1])
            yield part[:cut]
            part = part[cut if by_document else cut - 1 :]
    if len(part) > 1:
        yield part
