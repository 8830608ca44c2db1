"""What notes below a figure say in the same words everywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnnlm.results.record import Record

MOST_NAMED = 6


def runs_named(records: Sequence[Record]) -> str:
    """Such as `lstm-embed seeds 1 and 2, gru-embed seed 3`."""
    seeds: dict[str, dict[str, None]] = {}
    for record in records:
        seeds.setdefault(record.cell, {})[str(record.seed)] = None
    return listed(
        [
            f"{cell} {'seeds' if len(own) > 1 else 'seed'} {' and '.join(own)}"
            for cell, own in seeds.items()
        ]
    )


def listed(names: Sequence[str]) -> str:
    """The names, or the first of them and how many more there are."""
    if len(names) <= MOST_NAMED:
        return ", ".join(names)
    return f"{', '.join(names[: MOST_NAMED - 1])} and {len(names) - MOST_NAMED + 1} more"


def on_seeds(numbers: Sequence[int], if_several: str) -> Iterator[str]:
    """How many seeds the groups have, said where several have been put together.

    Args:
        numbers: of each group.
        if_several: what to say, with `{}` for how many.
    """
    if max(numbers, default=0) > 1:
        ends = dict.fromkeys((min(numbers), max(numbers)))
        yield if_several.format(" to ".join(map(str, ends)))
    elif numbers:
        yield "One seed each."


def on_failures(failed: Sequence[Record]) -> Iterator[str]:
    """The runs that failed, by name."""
    if failed:
        yield f"Failed: {runs_named(failed)}."


def capitalised(text: str) -> str:
    """With a capital first letter, and the others as they are."""
    return text[:1].upper() + text[1:]
