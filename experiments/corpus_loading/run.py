"""Measure how long large corpora take to load, the first time and from the cache.

    python experiments/corpus_loading/run.py [--tang]

It also compares the segmentation with jieba in one process. The novels are a stand-in: 16 GB18030
files, 8.8 million characters, with paragraphs drawn from the sample, so a real folder has more
different words. `--tang` also loads the full collection of Tang poems (from RNNLM_DATA_DIR or the
network). All files that this script writes are temporary.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from pathlib import Path

NOVELS, CHARACTERS = 16, 550_000


def write_novels(folder: Path, sample: Path) -> None:
    """Write a folder of novels like those that users have."""
    paragraphs = [
        line for path in sorted(sample.iterdir()) for line in path.read_text("utf-8").splitlines()
    ]
    draw = random.Random(0)
    for number in range(NOVELS):
        lines, length = [], 0
        while length < CHARACTERS:
            lines.append(draw.choice(paragraphs))
            length += len(lines[-1]) + 1
        (folder / f"{number}.txt").write_bytes("\n".join(lines).encode("gb18030"))


def timed(what: str, function: object, *arguments: object) -> tuple[float, object]:
    """Call a function; print its time, and return its time and its result."""
    started = time.perf_counter()
    result = function(*arguments)  # type: ignore[operator]
    seconds = time.perf_counter() - started
    print(f"{what:<60}{seconds:8.2f} s", flush=True)
    return seconds, result


def main() -> None:
    """Print the times."""
    import jieba

    from rnnlm.data.jinyong import JinYong, JinYongConfig
    from rnnlm.data.preparation import prepare
    from rnnlm.data.tang import Tang, TangConfig
    from rnnlm.data.tokens.segmentation import segment

    sample = Path(__file__).parents[2] / "rnnlm" / "data" / "samples" / "jinyong"
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["RNNLM_CACHE_DIR"] = f"{temporary}/cache"
        folder = Path(temporary) / "novels"
        folder.mkdir()
        write_novels(folder, sample)
        config = JinYongConfig(name="jinyong", source=str(folder))
        corpus = JinYong(config)
        _, texts = timed("novels: read, decode and clean", lambda: corpus.parse(corpus.files()))
        assert isinstance(texts, list)
        print(f"{sum(map(len, texts)):,} characters")
        jieba.initialize()
        ratios = []
        for _ in range(3):
            ours, words = timed("novels: segmented on all cores", segment, texts)
            alone, expected = timed("novels: jieba.lcut in one process", segment_alone, texts)
            assert words == expected
            ratios.append(ours / alone)
        print(f"ratio: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")
        timed("novels: first load", prepare, JinYong(config))
        timed("novels: from the cache", prepare, JinYong(config))
        if "--tang" in sys.argv:
            tang = TangConfig(name="tang", source="full")
            timed("Tang poems: first load", prepare, Tang(tang))
            timed("Tang poems: from the cache", prepare, Tang(tang))


def segment_alone(texts: list[str]) -> list[list[str]]:
    """Segment the texts in one process, as one would without this project."""
    import jieba

    return [jieba.lcut(text) for text in texts]


if __name__ == "__main__":
    main()
