"""rnnlm/data/variable_lengths.py"""

from __future__ import annotations

import itertools

import torch
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.data.variable_lengths import variable_ends


@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 2**31))
def test_no_batch_is_empty_and_none_of_the_stream_is_left_out(
    length: int, count: int, seed: int
) -> None:
    count = min(length, count)
    ends = variable_ends(length, count, torch.Generator().manual_seed(seed))
    assert len(ends) == count
    assert ends[-1] == length
    assert all(start < end for start, end in itertools.pairwise([0, *ends]))


def test_lengths_vary_as_the_paper_has_them() -> None:
    ends = variable_ends(70 * 4_000, 4_000, torch.Generator().manual_seed(0))
    lengths = torch.tensor(ends).diff().double()
    halved = lengths < 53
    assert 0.03 < halved.double().mean() < 0.07
    # Stretched by 1 / 0.975.
    assert abs(lengths[~halved].mean() - 70 / 0.975) < 0.5
    assert 4.5 < lengths[~halved].std() < 5.7
