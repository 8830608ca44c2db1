"""Texts of any number of characters and different characters, from which a network can learn."""

from __future__ import annotations

import random
from itertools import accumulate


def text_of(alphabet: str, length: int, seed: int = 1) -> str:
    """Draw a text in which each character makes a few others likely to come next.

    The number of the next character is 7 times that of the present one plus a number drawn by
    Zipf's law, modulo the number of characters.
    """
    draw = random.Random(seed)
    share = list(accumulate(1 / (rank + 3.7) for rank in range(len(alphabet))))
    drawn = draw.choices(range(len(alphabet)), cum_weights=share, k=length)
    number, numbers = 0, []
    for plus in drawn:
        number = (7 * number + plus) % len(alphabet)
        numbers.append(number)
    return "".join(alphabet[number] for number in numbers)


# 27 characters, and the unknown one.
LETTERS = " abcdefghijklmnopqrstuvwxyz"
# As many characters as lyrics have: with the unknown one, 2,581.
LYRICS = "\n" + "".join(map(chr, range(0x4E00, 0x4E00 + 2579)))
