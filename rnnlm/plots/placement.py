"""Where labels go so that they cover neither each other nor what they name. Pure geometry."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# What a label beside a point is tried at: directions, and distances in label heights.
DIRECTIONS, DISTANCES = 16, (0.4, 1.0, 2.0, 3.5, 5.0, 7.0, 9.0)
# In each of which every label may move away from the others.
ROUNDS = 8
# The share of a label or a marker that may be covered.
TOUCH = 0.05
# What it costs to cover a whole label or marker, to be on a line all over, or outside the room.
ON_LABEL, ON_MARKER, ON_LINE, OUTSIDE = 20.0, 5.0, 40.0, 100.0


@dataclass(frozen=True)
class Box:
    """A rectangle, its lower left corner first."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """Its size."""
        return self.width * self.height

    def overlap(self, other: Box) -> float:
        """The area both have."""
        width = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        height = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return max(width, 0.0) * max(height, 0.0)

    def nearest(self, x: float, y: float) -> tuple[float, float]:
        """The point of the rectangle that is nearest to one."""
        return (
            min(max(x, self.x), self.x + self.width),
            min(max(y, self.y), self.y + self.height),
        )


def spread(
    wanted: Sequence[float], heights: Sequence[float], low: float, high: float
) -> list[float]:
    """Centres of labels in a column, as near as can be to where they are wanted, one over another.

    The sum of the squared shifts is the least possible. Labels too many for `low` to `high` go on
    above it.
    """
    order = sorted(range(len(wanted)), key=lambda index: (wanted[index], index))
    # Less what is below it, a label's centre may be anywhere above that of the one before.
    below, offsets = 0.0, []
    for index in order:
        offsets.append(below + heights[index] / 2)
        below += heights[index]
    blocks: list[tuple[float, int]] = []  # The mean of what is wanted, and of how many.
    for index, offset in zip(order, offsets, strict=True):
        mean, count = wanted[index] - offset, 1
        while blocks and blocks[-1][0] > mean:
            before, number = blocks.pop()
            mean, count = (before * number + mean * count) / (number + count), number + count
        blocks.append((mean, count))
    starts = [mean for mean, count in blocks for _ in range(count)]
    centres = [0.0] * len(wanted)
    for index, offset, start in zip(order, offsets, starts, strict=True):
        centres[index] = max(min(start, high - below), low) + offset
    return centres


def beside(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    markers: Sequence[Box],
    lines: Sequence[Box],
    room: Box,
) -> list[Box]:
    """A place for the label of each point, close to it and free of the rest as far as possible.

    Args:
        sizes: width and height of the labels.
        markers: what a label should not cover; likewise lines, which matter less.
        room: what a label should stay within.
    """
    tried = [
        [(box, cost + _cost(box, markers, lines, room)) for box, cost in _around(point, size)]
        for point, size in zip(points, sizes, strict=True)
    ]
    placed = [min(boxes, key=lambda box: box[1])[0] for boxes in tried]
    for _ in range(ROUNDS):
        before = list(placed)
        for index, boxes in enumerate(tried):
            others = placed[:index] + placed[index + 1 :]
            placed[index] = min(boxes, key=lambda box: box[1] + _cost_among(box[0], others))[0]
        if placed == before:
            break
    return placed


def are_apart(labels: Sequence[Box], markers: Sequence[Box]) -> bool:
    """Whether no label covers another, or a marker, by more than a touch."""
    return not any(
        label.overlap(other) > TOUCH * other.area
        for index, label in enumerate(labels)
        for other in (*labels[:index], *markers)
    )


def _around(point: tuple[float, float], size: tuple[float, float]) -> list[tuple[Box, float]]:
    """Boxes around a point, and what their distance and direction cost."""
    (x, y), (width, height) = point, size
    found = []
    for distance in DISTANCES:
        for turn in range(DIRECTIONS):
            angle = 2 * math.pi * turn / DIRECTIONS
            right, up = math.cos(angle), math.sin(angle)
            away = (0.5 + distance) * height
            box = Box(
                x + right * (width / 2 + distance * height) - width / 2,
                y + up * away - height / 2,
                width,
                height,
            )
            # On the right is where one looks first.
            found.append((box, 0.3 * distance + 0.1 * (1 - right)))
    return found


def _cost(box: Box, markers: Sequence[Box], lines: Sequence[Box], room: Box) -> float:
    return (
        ON_MARKER * sum(box.overlap(marker) / marker.area for marker in markers)
        + ON_LINE * sum(map(box.overlap, lines)) / box.area
        + OUTSIDE * (1 - box.overlap(room) / box.area)
    )


def _cost_among(box: Box, labels: Sequence[Box]) -> float:
    return ON_LABEL * sum(box.overlap(label) / label.area for label in labels)
