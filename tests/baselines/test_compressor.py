"""rnnlm/baselines/compressor.py"""

from __future__ import annotations

import bz2
import lzma
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from rnnlm.baselines.baseline import BaselineConfig
from rnnlm.baselines.compressor import Bz2, Compressor, Xz
from rnnlm.data.batching import Batching
from rnnlm.data.texts.splitting import SPLITS
from rnnlm.runs.run import load_corpus
from tests.conftest import composed
from tests.support.small_corpora import from_file, sample

KINDS: list[tuple[type[Compressor], Callable[[bytes], bytes]]] = [
    (Xz, lambda text: lzma.compress(text, preset=9 | lzma.PRESET_EXTREME)),
    (Bz2, lambda text: bz2.compress(text, 9)),
]
every_kind = pytest.mark.parametrize(("kind", "compress"), KINDS)


@every_kind
def test_a_running_text_goes_on_from_training(
    kind: type[Compressor], compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    draw = random.Random(0)
    text = "".join(draw.choice(["é ", "two ", "three\n"]) for _ in range(2000))
    (tmp_path / "text.txt").write_text(text, encoding="utf-8", newline="\n")
    corpus = from_file(tmp_path / "text.txt")
    measured = kind(BaselineConfig()).measure(corpus)
    cuts = [int(len(text) * share) for share in (0.8, 0.9)]
    pieces = [text[: cuts[0]], text[cuts[0] : cuts[1]], text[cuts[1] :]]
    train, validation, test = (piece.encode() for piece in pieces)
    sizes = {
        "train": len(compress(train)),
        "validation": len(compress(train + validation)) - len(compress(train)),
        "test": len(compress(train + test)) - len(compress(train)),
    }
    for name, piece in zip(SPLITS, pieces, strict=True):
        # The first character of a split is not predicted.
        assert measured[name] == {
            "loss": None,
            "ppl": None,
            "bpc": pytest.approx(8 * sizes[name] / (len(piece) - 1)),
            "num_tokens": len(piece) - 1,
            "num_chars": len(piece) - 1,
        }


@every_kind
def test_documents_end_in_a_line_end(
    kind: type[Compressor], compress: Callable[[bytes], bytes]
) -> None:
    corpus = sample("tang")
    texts = {name: "".join(f"{poem}\n" for poem in poems) for name, poems in corpus.texts().items()}
    for name in SPLITS:
        assert len(texts[name]) == corpus.splits[name].num_chars
    baseline = kind(BaselineConfig())
    measured = baseline.measure(corpus)
    train = len(compress(texts["train"].encode()))
    assert measured["train"]["bpc"] == 8 * train / len(texts["train"])
    both = len(compress((texts["train"] + texts["test"]).encode()))
    assert measured["test"]["bpc"] == 8 * (both - train) / len(texts["test"])
    assert baseline.notes == [
        f"train's {len(texts['train'].encode()):,} bytes of text become {train:,}"
    ]
    assert baseline.num_parameters is None


def test_what_no_network_predicts_is_not_compressed() -> None:
    letters = load_corpus(composed("data=time_machine", "data.normalize=letters"))
    as_it_is = sample("time_machine")
    in_letters, unchanged = (Xz(BaselineConfig()).measure(c) for c in (letters, as_it_is))
    tokens = {
        name: "".join(t for piece in letters.definition.tokenize(pieces) for t in piece)
        for name, pieces in letters.texts().items()
    }
    size = len(lzma.compress(tokens["train"].encode(), preset=9 | lzma.PRESET_EXTREME))
    assert in_letters["train"]["bpc"] == 8 * size / letters.splits["train"].num_chars
    assert (in_letters["test"]["bpc"] or 0) < (unchanged["test"]["bpc"] or 0)


def test_what_training_shows_costs_next_to_nothing(tmp_path: Path) -> None:
    draw = random.Random(0)
    lines = ["".join(draw.choices("abcdefgh", k=99)) + "\n" for _ in range(100)]
    (tmp_path / "text.txt").write_text("".join(lines * 10), newline="\n")
    for batching in (Batching.stream, Batching.documents):
        measured = Xz(BaselineConfig()).measure(from_file(tmp_path / "text.txt", batching))
        # A character is one of eight letters with the same probability: three bits.
        assert (measured["test"]["bpc"] or 0) < 0.2
        assert (measured["train"]["bpc"] or 0) > 0.3
