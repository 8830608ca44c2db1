"""Let a trained model write poems with and without rules; count the rules kept and their cost.

    python experiments/verse/run.py RUN

The output is a table in Markdown. Its perplexity is that of the tokens of all poems together, under
the model itself.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import rnnlm
from rnnlm.data.tang import Form
from rnnlm.generation.verse.score import Score, score
from rnnlm.generation.writer import Text

ACROSTIC = "春江花月"
FORM = "wujue"
KINDS: dict[str, dict[str, Any]] = {
    "free": {},
    "form": {"form": FORM},
    "form, acrostic": {"form": FORM, "acrostic": ACROSTIC},
    "form, rhyme": {"form": FORM, "rhyme": True},
    "form, tones": {"form": FORM, "tones": True},
    "all of them": {"form": FORM, "acrostic": ACROSTIC, "rhyme": True, "tones": True},
}


def ppl_of(texts: list[Text]) -> float:
    """Perplexity of the tokens of all texts under the model that wrote them."""
    nats = [n for text in texts for n in text.nats or ()]
    return math.exp(sum(nats) / len(nats))


def main() -> None:
    """Write the poems of every kind, judge them and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--num", type=int, default=200, help="poems of each kind")
    arguments = parser.parse_args()
    model = rnnlm.load(arguments.run)
    print("| poems | whole | in the form | begin as asked | rhyme | keep all tones | ppl | ratio |")
    print("| :-- | --: | --: | --: | --: | --: | --: | --: |")
    free = math.nan
    for kind, options in KINDS.items():
        texts = model.generate(num=arguments.num, with_probabilities=True, **options)
        scores: list[Score] = [score(text.text, Form[FORM], ACROSTIC) for text in texts]
        ppl = ppl_of(texts)
        free = ppl if kind == "free" else free
        counts = (
            sum(text.complete for text in texts),
            sum(each.form == FORM for each in scores),
            sum(bool(each.acrostic) for each in scores),
            sum(each.rhymes for each in scores),
            sum(each.tones_kept == each.tones_asked > 0 for each in scores),
        )
        cells = " | ".join(map(str, counts))
        print(f"| {kind} | {cells} | {ppl:.1f} | {ppl / free:.2f} |", flush=True)


if __name__ == "__main__":
    main()
