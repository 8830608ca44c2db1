"""rnnlm/plots/seeds.py"""

from __future__ import annotations

import pytest

from rnnlm.plots.seeds import SeedCurve, Series


def test_seeds_that_go_as_far_make_one_line_and_a_band() -> None:
    seeds: list[Series] = [
        {1: (10.0, 3.0), 2: (20.0, 2.0)},
        {1: (12.0, 5.0), 2: (26.0, 2.5)},
        {1: (14.0, 4.0), 2: (26.0, 1.5)},
    ]
    curve = SeedCurve.of(seeds)
    assert curve == SeedCurve(3, [12, 24], [4, 2], [3, 1.5], [5, 2.5], [])
    assert curve.last == (24, 2)


def test_x_is_in_the_unit_of_the_axis() -> None:
    assert SeedCurve.of([{1: (90.0, 3.0)}], unit=60).x == [1.5]


def test_a_seed_that_goes_on_does_so_alone_from_the_last_point_in_common() -> None:
    curve = SeedCurve.of(
        [{1: (1.0, 4.0), 2: (2.0, 3.0), 3: (3.0, 2.5)}, {1: (1.0, 2.0), 2: (2.0, 1.0)}]
    )
    assert (curve.x, curve.mean) == ([1, 2], [3, 2])
    assert curve.alone == [([2, 3], [3, 2.5])]
    assert curve.last == (3, 2.5)
    assert max(curve.every_x) == 3


def test_seeds_with_nothing_in_common_are_all_alone() -> None:
    curve = SeedCurve.of([{1: (1.0, 4.0)}, {2: (2.0, 3.0)}])
    assert curve.x == []
    assert curve.alone == [([1], [4]), ([2], [3])]
    assert curve.last == (2, 3)


def test_one_seed_is_its_own_mean() -> None:
    curve = SeedCurve.of([{2: (2.0, 3.0), 1: (1.0, 4.0)}])
    assert (curve.num_seeds, curve.mean, curve.low, curve.high) == (1, [4, 3], [4, 3], [4, 3])
    assert curve.alone == []


def test_no_seeds_have_no_curve() -> None:
    with pytest.raises(IndexError):
        SeedCurve.of([])
