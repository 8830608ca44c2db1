"""Speed of writing, compared with a plain loop over `torch.nn` cells.

    python experiments/generation/run.py

The networks have one layer of 512 units and embeddings of 128. Tokens are drawn from the whole
distribution. The plain loop writes one text with a cell of `torch.nn`, a projection, a softmax and
`torch.multinomial`. One process times both in turn, and prints a table in Markdown; ratios are
medians over rounds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from rnnlm.data.tokens.vocabulary import Vocabulary
from rnnlm.generation.options import GenerationOptions
from rnnlm.generation.writer import Writer
from rnnlm.model.cells import cells
from rnnlm.model.features import EmbedConfig
from rnnlm.model.language_model import LanguageModel
from rnnlm.runtime import keep_freed_memory

HIDDEN, EMBEDDING, BATCH = 512, 128, 32
# The sizes of vocabularies of letters, lyrics and poems.
VOCABULARIES = (100, 2581, 7000)
CELLS = ("rnn", "lstm", "gru")


def bare_loop(cell: str, vocab_size: int) -> Callable[[int], None]:
    """Return a function that writes one text of a length with `torch.nn` alone."""
    embedding, output = nn.Embedding(vocab_size, EMBEDDING), nn.Linear(HIDDEN, vocab_size)
    kinds = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}
    network = kinds[cell](EMBEDDING, HIDDEN)

    @torch.no_grad()
    def write(length: int) -> None:
        token = torch.zeros(1, dtype=torch.long)
        state: Tensor | tuple[Tensor, Tensor] | None = None
        written = []
        for _ in range(length):
            state = network(embedding(token), state)
            hidden = state[0] if isinstance(state, tuple) else state
            p = torch.softmax(output(hidden), dim=-1)
            token = torch.multinomial(p, 1).flatten()
            written.append(token.item())

    return write


def ours(cell: str, vocab_size: int, batch: int) -> Callable[[int], None]:
    """Return a function that writes a batch of texts of a length, as `rnnlm generate` does."""
    vocabulary = Vocabulary(["<unk>", *map(chr, range(0x4E00, 0x4E00 + vocab_size - 1))])
    model = cells()[cell].Config(name=cell, hidden_size=HIDDEN)
    features = EmbedConfig(name="embed", embedding_size=EMBEDDING)
    writer = Writer(LanguageModel(vocab_size, model, features), vocabulary)

    def write(length: int) -> None:
        for _ in writer.stream([vocabulary.tokens[1]], GenerationOptions(num=batch, length=length)):
            pass

    return write


def tokens_per_second(write: Callable[[int], None], batch: int, length: int) -> float:
    """Return the speed of writing, over all texts of a batch together."""
    write(max(2, length // 10))
    started = time.perf_counter()
    write(length)
    return batch * length / (time.perf_counter() - started)


def main() -> None:
    """Time all networks in turn, and print the table."""
    # Not prepare_process: its fixed order of sums in MKL would slow the other loop.
    keep_freed_memory()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--length", type=int, default=400, help="tokens of a text")
    parser.add_argument("--vocabularies", type=int, nargs="+", default=VOCABULARIES)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    print("| vocabulary | cell | plain loop, tokens/s | one text | 32 texts |")
    print("| --: | :-- | --: | --: | --: |")
    for vocab_size in arguments.vocabularies:
        for cell in CELLS:
            bare = bare_loop(cell, vocab_size)
            one, many = ours(cell, vocab_size, 1), ours(cell, vocab_size, BATCH)
            rounds = [
                (
                    tokens_per_second(bare, 1, arguments.length),
                    tokens_per_second(one, 1, arguments.length),
                    tokens_per_second(many, BATCH, max(10, arguments.length // 8)),
                )
                for _ in range(arguments.rounds)
            ]
            rate = statistics.median(bare for bare, _, _ in rounds)
            one_ratio = statistics.median(one / bare for bare, one, _ in rounds)
            many_ratio = statistics.median(many / bare for bare, _, many in rounds)
            print(
                f"| {vocab_size:,} | {cell} | {rate:,.0f} | {one_ratio:.2f} | {many_ratio:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
