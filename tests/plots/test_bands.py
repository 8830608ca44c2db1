"""rnnlm/plots/bands.py"""

from __future__ import annotations

import pytest

from rnnlm.plots.bands import Band, Series


def test_seeds_that_go_as_far_make_one_line_and_a_band() -> None:
    seeds: list[Series] = [
        {1: (10.0, 3.0), 2: (20.0, 2.0)},
        {1: (12.0, 5.0), 2: (26.0, 2.5)},
        {1: (14.0, 4.0), 2: (26.0, 1.5)},
    ]
    band = Band.of(seeds)
    assert band == Band(3, [12, 24], [4, 2], [3, 1.5], [5, 2.5], [])
    assert band.last == (24, 2)


def test_x_is_in_the_unit_of_the_axis() -> None:
    assert Band.of([{1: (90.0, 3.0)}], unit=60).x == [1.5]


def test_a_seed_that_goes_on_does_so_alone_from_the_last_point_in_common() -> None:
    band = Band.of([{1: (1.0, 4.0), 2: (2.0, 3.0), 3: (3.0, 2.5)}, {1: (1.0, 2.0), 2: (2.0, 1.0)}])
    assert (band.x, band.mean) == ([1, 2], [3, 2])
    assert band.alone == [([2, 3], [3, 2.5])]
    assert band.last == (3, 2.5)
    assert max(band.values) == 4


def test_seeds_with_nothing_in_common_are_all_alone() -> None:
    band = Band.of([{1: (1.0, 4.0)}, {2: (2.0, 3.0)}])
    assert band.x == []
    assert band.alone == [([1], [4]), ([2], [3])]
    assert band.last == (2, 3)


def test_one_seed_is_its_own_mean() -> None:
    band = Band.of([{2: (2.0, 3.0), 1: (1.0, 4.0)}])
    assert (band.num_seeds, band.mean, band.low, band.high) == (1, [4, 3], [4, 3], [4, 3])
    assert band.alone == []


def test_no_seeds_have_no_band() -> None:
    with pytest.raises(IndexError):
        Band.of([])
