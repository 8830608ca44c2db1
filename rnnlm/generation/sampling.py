"""Many continuations of a prompt, as one batch.

A text follows from the seed and its number alone: it has its own random numbers, and the network
gives it the same bits whatever the other texts are (`Stepper`).

Shapes: B unfinished texts, V vocabulary, T time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rnnlm.generation.constraints import Constraint
from rnnlm.generation.distribution import IMPOSSIBLE, draw, penalised, tempered, top_k, top_p
from rnnlm.generation.options import GenerationOptions, InitialState
from rnnlm.model.language_model import State
from rnnlm.model.stepper import Stepper

STATE_DEVIATION = 0.5
# The largest number of logits in memory at once.
_MOST_LOGITS = 2**23
# Random numbers are drawn for this many tokens at a time.
_BLOCK = 256


class Token(NamedTuple):
    """A token that has been written."""

    number: int  # the number of the text, from 0
    id: int
    nats: float | None  # negative log-likelihood under the model; None if not asked for
    is_last: bool
    written: Sequence[int]  # the text so far; this list grows


def sample(
    stepper: Stepper,
    prompt: Sequence[int],
    constraint: Constraint,
    options: GenerationOptions,
    with_nats: bool = False,
) -> Iterator[Token]:
    """Write texts, and yield their tokens as they come.

    Args:
        prompt: the tokens that are read first, at least one.
        with_nats: also give each token's nats, by the model without temperature and constraint.
    """
    per_batch = max(1, _MOST_LOGITS // stepper.vocab_size)
    for first in range(0, options.num, per_batch):
        numbers = range(first, min(first + per_batch, options.num))
        yield from _sample_batch(stepper, prompt, constraint, options, with_nats, numbers)


def _sample_batch(
    stepper: Stepper,
    prompt: Sequence[int],
    constraint: Constraint,
    options: GenerationOptions,
    with_nats: bool,
    numbers: range,
) -> Iterator[Token]:
    length = constraint.longest or options.length
    generators = [np.random.default_rng((options.seed, number)) for number in numbers]
    state = read_prompt(stepper, prompt, options.state, generators)
    seen_BV: Tensor | None = None
    if options.repetition_penalty != 1:
        seen_BV = torch.zeros(len(numbers), stepper.vocab_size, dtype=torch.bool)
        seen_BV[:, list(prompt)] = True
    alive = list(numbers)
    written: list[list[int]] = [[] for _ in alive]
    for step in range(length):
        if step % _BLOCK == 0:
            block = min(_BLOCK, length - step)
            drawn = [generators[number - numbers.start].random(block) for number in alive]
            uniform_TB = torch.from_numpy(np.stack(drawn, axis=1))
        logits_BV = stepper.logits(state).to("cpu", torch.float64, copy=True)
        log_p_BV = logits_BV.log_softmax(1) if with_nats else None
        logits_BV.masked_fill_(constraint.forbidden(written), IMPOSSIBLE)
        if seen_BV is not None:
            logits_BV = penalised(logits_BV, seen_BV, options.repetition_penalty)
        tokens_B = _next(logits_BV, options, uniform_TB[step % _BLOCK])
        nats = [None] * len(alive) if log_p_BV is None else _nats(log_p_BV, tokens_B)
        at_length, ended = step + 1 == length, set()
        for number, text, token, token_nats in zip(
            alive, written, tokens_B.tolist(), nats, strict=True
        ):
            text.append(token)
            is_last = at_length or constraint.is_complete(text)
            if is_last:
                ended.add(number)
            yield Token(number, token, token_nats, is_last, text)
        if ended:
            going_on = [row for row, number in enumerate(alive) if number not in ended]
            if not going_on:
                return
            rows = torch.tensor(going_on)
            alive, written = [alive[r] for r in going_on], [written[r] for r in going_on]
            tokens_B, uniform_TB = tokens_B[rows], uniform_TB[:, rows]
            seen_BV = None if seen_BV is None else seen_BV[rows]
            state = rows_of(state, rows)
        if seen_BV is not None:
            seen_BV.scatter_(1, tokens_B.unsqueeze(1), True)
        state = stepper.read(tokens_B.to(stepper.device), state)


def read_prompt(
    stepper: Stepper,
    prompt: Sequence[int],
    initial: InitialState,
    generators: Sequence[np.random.Generator],
) -> State:
    """Return the state of each text after the prompt, computed once if all states are equal.

    Args:
        generators: the random numbers of each text, for its initial state.
    """
    state = stepper.network.initial_state(1)
    if initial is InitialState.normal:
        state = _normal_state(state, generators)
    batch = len(state[0][0])
    for token in prompt:
        state = stepper.read(torch.full((batch,), token, device=stepper.device), state)
    if batch < len(generators):
        state = tuple(tuple(part.expand(len(generators), -1) for part in layer) for layer in state)
    return state


def rows_of(state: State, rows: Tensor) -> State:
    """Return the states of some of the texts, in the order of `rows` (B,)."""
    return tuple(tuple(part[rows.to(part.device)] for part in layer) for layer in state)


def _normal_state(zero: State, generators: Sequence[np.random.Generator]) -> State:
    drawn = [
        [g.normal(scale=STATE_DEVIATION, size=part.shape[1]) for layer in zero for part in layer]
        for g in generators
    ]
    parts = (torch.from_numpy(np.stack(rows)) for rows in zip(*drawn, strict=True))
    return tuple(tuple(next(parts).to(part) for part in layer) for layer in zero)


def _next(logits_BV: Tensor, options: GenerationOptions, uniform_B: Tensor) -> Tensor:
    if options.takes_likeliest:
        return logits_BV.argmax(1)
    logits_BV = tempered(logits_BV, options.temperature)
    if options.top_k is not None:
        logits_BV = top_k(logits_BV, options.top_k)
    if options.top_p is not None:
        logits_BV = top_p(logits_BV, options.top_p)
    return draw(logits_BV, uniform_B)


def _nats(log_p_BV: Tensor, tokens_B: Tensor) -> list[float]:
    chosen: list[float] = (-log_p_BV.gather(1, tokens_B.unsqueeze(1))).flatten().tolist()
    return chosen
