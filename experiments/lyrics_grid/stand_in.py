"""A text of the size and build of the lyrics, for who does not have them: songs of Tang poems.

    python experiments/lyrics_grid/stand_in.py stand_in.txt

As the file of lyrics does, it has 63,282 characters in short lines, about 2,580 different ones, no
line between songs, spaces within lines, and 44 % of its lines come again, in choruses. What it does
not have is the language of songs: its figures say how a program does on such a file, and nothing
about the lyrics themselves.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rnnlm.data.tang import Form, Script, Tang, TangConfig, has_form, poem_lines

NUM_CHARACTERS = 63_282
# Songs of the collection's most frequent characters alone, so that the text has about 2,580.
NUM_FREQUENT = 3_050
# Of all songs, those whose chorus comes again: so 44 % of the lines are of such choruses.
SHARE_WITH_CHORUS = 0.846


def stanzas(poem: str) -> list[list[str]]:
    """A poem of eight lines as two stanzas: lines of seven characters, or two of five in one."""
    lines = poem_lines(poem)
    if has_form(poem, Form.wulv):
        lines = [f"{first} {second}" for first, second in zip(lines[::2], lines[1::2], strict=True)]
    half = len(lines) // 2
    return [lines[:half], lines[half:]]


def songs(poems: Sequence[str], draw: random.Random) -> Iterator[str]:
    """Verse, chorus, verse, and most often the chorus again; a line each."""
    for verses, chorus in zip(poems[::2], poems[1::2], strict=False):
        first, second = stanzas(verses)
        refrain = [line for stanza in stanzas(chorus) for line in stanza][: len(first)]
        again = refrain if draw.random() < SHARE_WITH_CHORUS else []
        yield from (*first, *refrain, *second, *again)


def main() -> None:
    """Write the text and say what it is like."""
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
