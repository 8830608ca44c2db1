"""Beam search: keep the W likeliest beginnings of a text, and return the likeliest text.

Shapes: W beams, V vocabulary.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from rnnlm.generation.constraints import Constraint
from rnnlm.generation.distribution import IMPOSSIBLE
from rnnlm.generation.options import GenerationOptions
from rnnlm.generation.sampling import Token, read_prompt, rows_of, sample
from rnnlm.model.stepper import Stepper


@dataclass(frozen=True)
class _Text:
    """A text or its beginning."""

    ids: tuple[int, ...]
    nats_by_token: tuple[float, ...]

    @property
    def nats(self) -> float:
        """Negative log-likelihood under the model."""
        return sum(self.nats_by_token)


def search(
    stepper: Stepper, prompt: Sequence[int], constraint: Constraint, options: GenerationOptions
) -> list[Token]:
    """Return the tokens of the likeliest text that was found; the greedy text is a candidate too.

    A beam of width 1 is greedy decoding. Texts are compared by their probability under the model,
    with that of `<eos>`. Each token lowers it, so texts are short where they may end.
    """
    greedy = dataclasses.replace(options, beam=None, greedy=True, num=1)
    tokens = list(sample(stepper, prompt, constraint, greedy, with_nats=True))
    best = _Text(tuple(t.id for t in tokens), tuple(t.nats or 0.0 for t in tokens))
    if options.beam is not None and options.beam > 1:
        found = _beam(stepper, prompt, constraint, options, options.beam)
        best = min(best, found, key=lambda text: text.nats)
    return [
        Token(0, token, nats, length == len(best.ids), best.ids[:length])
        for length, (token, nats) in enumerate(zip(best.ids, best.nats_by_token, strict=True), 1)
    ]


def _beam(
    stepper: Stepper,
    prompt: Sequence[int],
    constraint: Constraint,
    options: GenerationOptions,
    width: int,
) -> _Text:
    state = read_prompt(stepper, prompt, options.state, [np.random.default_rng((options.seed, 0))])
    beams = [_Text((), ())]
    ended: list[_Text] = []
    for _ in range(constraint.longest or options.length):
        log_p_WV = stepper.logits(state).to("cpu", torch.float64).log_softmax(1)
        nats_W1 = torch.tensor([[beam.nats] for beam in beams], dtype=torch.float64)
        forbidden = constraint.forbidden([beam.ids for beam in beams])
        allowed_WV = log_p_WV.masked_fill(forbidden, IMPOSSIBLE)
        total_N = (allowed_WV - nats_W1).flatten()
        rows, going_on = [], []
        for candidate in total_N.topk(min(width, len(total_N))).indices.tolist():
            row, token = divmod(candidate, log_p_WV.shape[1])
            if total_N[candidate] == IMPOSSIBLE:
                continue
            beam = beams[row]
            text = _Text((*beam.ids, token), (*beam.nats_by_token, -log_p_WV[row, token].item()))
            if constraint.is_complete(text.ids):
                ended.append(text)
            else:
                rows.append(row)
                going_on.append(text)
        beams = going_on or beams
        # A longer text is never likelier than its beginning.
        likeliest = min((text.nats for text in ended), default=torch.inf)
        if not going_on or likeliest <= min(beam.nats for beam in going_on):
            return min(ended, key=lambda text: text.nats)
        tokens_W = torch.tensor([beam.ids[-1] for beam in beams], device=stepper.device)
        state = stepper.read(tokens_W, rows_of(state, torch.tensor(rows)))
    return min([*ended, *beams], key=lambda text: text.nats)
