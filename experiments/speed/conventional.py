"""The loop that people write: `torch.nn` all the way, in the plainest form.

Shapes: T time, B batch, V vocabulary, E embedding, H hidden, L layers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn


class Conventional(nn.Module):
    """A network of nn.Embedding or a dense one-hot, nn.RNN, LSTM or GRU, and nn.Linear."""

    def __init__(self, cell: str, features: str, V: int, E: int, H: int, L: int) -> None:
        super().__init__()
        self.V = V
        self.embedding = nn.Embedding(V, E) if features == "embed" else None
        self.rnn = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[cell](
            V if self.embedding is None else E, H, L
        )
        self.output = nn.Linear(H, V)

    def forward(self, tokens_TB: Tensor, state):
        if self.embedding is None:
            onehot_TBV = torch.zeros(*tokens_TB.shape, self.V, device=tokens_TB.device)
            vectors = onehot_TBV.scatter_(2, tokens_TB.unsqueeze(2), 1.0)
        else:
            vectors = self.embedding(tokens_TB)
        hidden_TBH, state = self.rnn(vectors, state)
        return self.output(hidden_TBH), state


def conventional_step(
    network: Conventional, batches: Iterator[tuple[Tensor, Tensor]]
) -> Callable[[], None]:
    """Return a function that trains one step with Adam, clipping and a carried state."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    loss_function = nn.CrossEntropyLoss()
    state = None

    def step() -> None:
        nonlocal state
        inputs_TB, targets_TB = next(batches)
        if state is not None:
            state = tuple(s.detach() for s in state) if type(state) is tuple else state.detach()
        logits_TBV, state = network(inputs_TB, state)
        loss = loss_function(logits_TBV.flatten(0, 1), targets_TB.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()

    return step
