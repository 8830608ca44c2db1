"""rnnlm/plots/placement.py"""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.plots.placement import Box, are_apart, beside, spread

heights = st.floats(0.1, 0.6)
labels = st.lists(st.tuples(st.floats(0, 3), heights), min_size=1, max_size=12)
ROOM = Box(0, 0, 5, 3.3)


@given(labels)
def test_labels_in_a_column_do_not_overlap_and_keep_their_order(
    wanted: list[tuple[float, float]],
) -> None:
    at, sizes = zip(*wanted, strict=True)
    centres = spread(at, sizes, 0, 3)
    stacked = sorted(zip(centres, at, sizes, strict=True))
    for (lower, low_at, low_size), (upper, up_at, up_size) in pairwise(stacked):
        assert upper - lower >= (low_size + up_size) / 2 - 1e-9
        assert low_at <= up_at
    assert stacked[0][0] - stacked[0][2] / 2 >= -1e-9


def test_a_label_with_room_is_where_it_is_wanted() -> None:
    assert spread([1.0, 2.0], [0.2, 0.2], 0, 3) == [1, 2]


def test_labels_in_each_others_way_share_the_shift() -> None:
    lower, upper = spread([1.0, 1.0], [0.2, 0.2], 0, 3)
    assert math.isclose(lower, 0.9)
    assert math.isclose(upper, 1.1)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), unique=True, max_size=10))
@settings(max_examples=25, deadline=None)
def test_names_beside_points_are_apart_where_there_is_room(places: list[tuple[int, int]]) -> None:
    points = [(0.5 + x, 0.4 + 0.5 * y) for x, y in places]
    markers = [Box(x - 0.04, y - 0.04, 0.08, 0.08) for x, y in points]
    found = beside(points, [(0.7, 0.13)] * len(points), markers, [], ROOM)
    assert are_apart(found, markers)
    assert all(math.isclose(ROOM.overlap(box), box.area) for box in found)
    assert found == beside(points, [(0.7, 0.13)] * len(points), markers, [], ROOM)


def test_names_that_cannot_be_apart_are_said_not_to_be() -> None:
    points = [(2.5, 1.6)] * 40
    assert not are_apart(beside(points, [(2.0, 0.4)] * 40, [], [], ROOM), [])
