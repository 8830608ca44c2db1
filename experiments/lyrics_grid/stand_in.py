"""Write a stand-in for the lyrics, which are not free: songs made of Tang poems.

    python experiments/lyrics_grid/stand_in.py stand_in.txt

Like the file of lyrics, the text has 63,282 characters, about 2,580 different ones, in short lines.
There is no empty line between songs, and there are spaces within lines. 44 % of the lines repeat,
in choruses. The text lacks the language of songs. So its metrics show how a program works on such a
file. They show nothing about the lyrics themselves.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rnnlm.data.tang import Form, Script, Tang, TangConfig, has_form, poem_lines

NUM_CHARACTERS = 63_282
# Songs use only this many characters, the most frequent of the collection. So the text has about
# 2,580 different ones.
NUM_FREQUENT = 3_050
# The share of the songs whose chorus repeats. Then 44 % of the lines are repeated ones.
SHARE_WITH_CHORUS = 0.846


def stanzas(poem: str) -> list[list[str]]:
    """Split a poem of eight lines into two stanzas; two lines of five characters become one."""
    lines = poem_lines(poem)
    if has_form(poem, Form.wulv):
        lines = [f"{first} {second}" for first, second in zip(lines[::2], lines[1::2], strict=True)]
    half = len(lines) // 2
    return [lines[:half], lines[half:]]


def songs(poems: Sequence[str], draw: random.Random) -> Iterator[str]:
    """Yield the lines of songs: verse, chorus, verse and, in most songs, the chorus again."""
    for verses, chorus in zip(poems[::2], poems[1::2], strict=False):
        first, second = stanzas(verses)
        refrain = [line for stanza in stanzas(chorus) for line in stanza][: len(first)]
        again = refrain if draw.random() < SHARE_WITH_CHORUS else []
        yield from (*first, *refrain, *second, *again)


def main() -> None:
    """Write the text and print its statistics."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    output = parser.parse_args().output
    tang = Tang(TangConfig(name="tang", source="full", script=Script.simplified))
    everything = tang.parse(tang.files())
    common = Counter(character for poem in everything for character in poem).most_common()
    known = {character for character, _ in common[:NUM_FREQUENT]}
    fitting = [
        poem
        for poem in everything
        if (has_form(poem, Form.wulv) or has_form(poem, Form.qilv)) and known.issuperset(poem)
    ]
    draw = random.Random(1)
    draw.shuffle(fitting)
    text = "".join(line + "\n" for line in songs(fitting, draw))[:NUM_CHARACTERS]
    output.write_text(text, encoding="utf-8")
    counts = Counter(text.splitlines())
    again = sum(count for count in counts.values() if count > 1) / counts.total()
    print(f"{len(text):,} characters, {len(set(text)):,} different, {counts.total():,} lines,")
    print(f"{len(text) / counts.total() - 1:.1f} characters a line, {again:.0%} of them come again")


if __name__ == "__main__":
    main()
