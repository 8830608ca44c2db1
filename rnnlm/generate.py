"""Writing with a trained model.

Shapes: T time, B batch, V vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rnnlm.model.language_model import LanguageModel
from rnnlm.model.stepper import Stepper


def draw(
    network: LanguageModel, prompt_T: Tensor, length: int, seed: int, end_id: int | None = None
) -> list[int]:
    """Tokens drawn one after the other from the model's own distribution.

    Args:
        prompt_T: what is read first; at least one token.
        length: how many tokens at most.
        seed: of the draws, which are the same on every device that gives the same probabilities.
        end_id: where to stop; it is not part of what is returned.
    """
    device = next(network.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    stepper, state = Stepper(network), network.initial_state(1)
    for token in prompt_T.to(device):
        state = stepper.read(token.unsqueeze(0), state)
    drawn: list[int] = []
    while len(drawn) < length:
        logits_BV = stepper.logits(state)
        p_BV = torch.softmax(logits_BV.double().cpu(), dim=-1)
        token_B = torch.multinomial(p_BV, 1, generator=generator).flatten()
        if token_B.item() == end_id:
            break
        drawn.append(int(token_B))
        state = stepper.read(token_B.to(device), state)
    return drawn
