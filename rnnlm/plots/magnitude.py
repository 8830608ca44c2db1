"""Which numbers have a place in a figure."""

from __future__ import annotations

# Beyond it an axis has no room for its margin, and what was measured has diverged.
LARGEST = 1e100


def has_a_place(value: float) -> bool:
    """Whether a number is finite, and not so large that it is as good as infinite."""
    return abs(value) <= LARGEST
