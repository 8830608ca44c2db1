"""Damage to files: bits and bytes change, parts become zeros, the end is missing."""

from __future__ import annotations

import random
from collections.abc import Iterator


def mutations(content: bytes, number: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield `number` mutations of a file, each with its name; the coarsest come first."""
    draw = random.Random(seed)
    yield "empty", b""
    yield "only zeros", bytes(len(content))
    yield "without its last byte", content[:-1]
    yield "twice", content * 2
    for count in range(4, number):
        changed = bytearray(content)
        at = draw.randrange(len(content))
        match count % 5:
            case 0 | 1:
                changed[at] ^= 1 << draw.randrange(8)
                yield f"a bit at {at}", bytes(changed)
            case 2:
                changed[at] = (changed[at] + draw.randrange(1, 256)) % 256
                yield f"a byte at {at}", bytes(changed)
            case 3:
                length = draw.choice([4, 64, 512, 4096])
                changed[at : at + length] = bytes(len(changed[at : at + length]))
                yield f"{length} zeros at {at}", bytes(changed)
            case _:
                # The directory of a checkpoint, a zip file, is near its end.
                cut = draw.choice([at, len(content) - draw.randrange(1, 200)])
                yield f"cut at {cut}", content[: max(cut, 0)]
