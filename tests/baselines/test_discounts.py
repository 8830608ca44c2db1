"""rnnlm/baselines/discounts.py"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.baselines.discounts import Discounts, estimate


def counts(n1: int, n2: int, n3: int, n4: int) -> np.ndarray:
    return np.repeat([0, 1, 2, 3, 4, 9], [7, n1, n2, n3, n4, 5])


def test_by_hand() -> None:
    one = estimate(counts(60, 20, 10, 5), Discounts.one)
    assert one.of(np.array([0, 1, 2, 3, 50])) == pytest.approx([0, 0.6, 0.6, 0.6, 0.6])
    three = estimate(counts(60, 20, 10, 5), Discounts.three)
    assert three.of(np.array([0, 1, 2, 3, 50])) == pytest.approx([0, 0.6, 1.1, 1.8, 1.8])
    assert one.are_estimated
    assert three.are_estimated


# Each case changes one number of n = 60, 20, 10, 5, which gives 0.6, 1.1, 1.8.
@pytest.mark.parametrize(
    ("n", "expected"),
    [
        ((0, 20, 10, 5), (0.5, 1.0, 1.5)),
        ((60, 0, 10, 5), (0.5, 1.0, 1.5)),
        ((60, 20, 0, 5), (0.6, 1.0, 1.5)),
        ((60, 20, 10, 0), (0.6, 1.1, 1.5)),
        # 2 - 3 · 0.6 · 40 / 20 is below 0.
        ((60, 20, 40, 5), (0.6, 1.0, 3 - 4 * 0.6 * 5 / 40)),
        # 2 - 3 · 0.5 · 4 / 3 is 0.
        ((6, 3, 4, 1), (0.5, 1.0, 3 - 4 * 0.5 * 1 / 4)),
    ],
)
def test_what_the_counts_do_not_say_falls_back(
    n: tuple[int, int, int, int], expected: tuple[float, ...]
) -> None:
    three = estimate(counts(*n), Discounts.three)
    assert not three.are_estimated
    assert three.by_count == pytest.approx((0.0, *expected))
    one = estimate(counts(*n), Discounts.one)
    assert one.are_estimated == (n[0] > 0 and n[1] > 0)
    assert one.by_count == pytest.approx((0.0, *expected[:1] * 3))


@given(st.lists(st.integers(0, 7)), st.sampled_from(Discounts))
def test_something_is_taken_and_never_more_than_there_is(
    seen: list[int], discounts: Discounts
) -> None:
    seen_G = np.array(seen, dtype=np.int64)
    taken_G = estimate(seen_G, discounts).of(seen_G)
    assert ((taken_G > 0) == (seen_G > 0)).all()
    assert (taken_G <= seen_G).all()
