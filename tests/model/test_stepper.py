"""rnnlm/model/stepper.py"""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.model import stepper as stepper_module
from rnnlm.model.cells import cells
from rnnlm.model.features import EmbedConfig, features
from rnnlm.model.language_model import LanguageModel
from rnnlm.model.product import _ONEDNN
from rnnlm.model.stepper import Stepper
from tests.support.networks import B, T, V, every_variant, network


@every_variant
@pytest.mark.parametrize("most_table_entries", [0, 2**22])
def test_forward_and_steps_agree(
    cell: str,
    kind: str,
    layers: int,
    nonlinearity: str,
    most_table_entries: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stepper_module, "_MOST_TABLE_ENTRIES", most_table_entries)
    model = network(cell, kind, layers, nonlinearity).double().eval()
    tokens_TB = torch.randint(V, (T, B))
    logits_TBV, last = model(tokens_TB)
    stepper, state = Stepper(model), model.initial_state(B)
    for t in range(T):
        state = stepper.read(tokens_TB[t], state)
        torch.testing.assert_close(stepper.logits(state), logits_TBV[t], atol=1e-12, rtol=1e-12)
    torch.testing.assert_close(state, last, atol=1e-12, rtol=1e-12)


@pytest.mark.skipif(not _ONEDNN, reason="no kernel that promises it")
@pytest.mark.parametrize("cell", cells())
@pytest.mark.parametrize("kind", features())
@pytest.mark.parametrize("vocab_size", [11, 301, 5003])
@settings(max_examples=12, deadline=None)
@given(batch=st.integers(2, 70), seed=st.integers(0, 99))
def test_a_sequence_gets_the_same_bits_whatever_stands_beside_it(
    cell: str, kind: str, vocab_size: int, batch: int, seed: int
) -> None:
    stepper = Stepper(network(cell, kind, 2, vocab_size=vocab_size))
    generator = torch.Generator().manual_seed(seed)
    tokens_TB = torch.randint(vocab_size, (3, batch), generator=generator)
    state = stepper.network.initial_state(batch)
    row = seed % batch
    alone = stepper.network.initial_state(1)
    for tokens_B in tokens_TB:
        state, alone = stepper.read(tokens_B, state), stepper.read(tokens_B[row : row + 1], alone)
    assert torch.equal(stepper.logits(state)[row], stepper.logits(alone)[0])


@pytest.mark.skipif(not _ONEDNN, reason="no kernel that promises it")
@pytest.mark.parametrize("cell", cells())
def test_threads_do_not_change_a_bit(cell: str) -> None:
    torch.manual_seed(0)
    model = LanguageModel(
        2581, cells()[cell].Config(name=cell, hidden_size=512), EmbedConfig("embed")
    )
    tokens_TB = torch.randint(2581, (3, 32))
    before, found = torch.get_num_threads(), []
    for threads, batch in ((1, 1), (2, 1), (1, 32), (2, 32)):
        torch.set_num_threads(threads)
        stepper, state = Stepper(model), model.initial_state(batch)
        for tokens_B in tokens_TB:
            state = stepper.read(tokens_B[:batch], state)
        found.append(stepper.logits(state)[0])
    torch.set_num_threads(before)
    assert all(torch.equal(logits_V, found[0]) for logits_V in found)
