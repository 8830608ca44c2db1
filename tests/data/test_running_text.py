"""rnnlm/data/running_text.py"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from rnnlm.data.texts.splitting import SPLITS
from rnnlm.options import OptionError
from tests.support.small_corpora import prepared

made = partial(prepared, "jaychou", batch_size=2, seq_len=4, min_count=1)


@pytest.fixture
def lyrics(tmp_path: Path) -> Path:
    path = tmp_path / "lyrics.txt"
    path.write_text("".join(f"第{number}句\n" for number in range(500)), encoding="utf-8")
    return path


def test_only_so_many_characters_are_read(lyrics: Path) -> None:
    splits = made(source=str(lyrics), max_chars=1000).splits
    assert [len(splits[name].ids_N) for name in SPLITS] == [800, 100, 100]


def test_every_fold_tests_another_part(lyrics: Path) -> None:
    seen = []
    for number in (1, 2, 3):
        corpus = made(source=str(lyrics), folds=3, fold=number)
        seen.append(len(corpus.splits["test"].ids_N))
        assert corpus.text_sha256 == made(source=str(lyrics)).text_sha256
    assert sum(seen) == len(lyrics.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fold": 2}, "data.fold: 2 needs data.folds"),
        ({"folds": 3, "fold": 4}, "data.fold: 4 is more than data.folds=3"),
    ],
)
def test_a_fold_that_is_none_is_refused(options: dict[str, int], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        made(**options)
