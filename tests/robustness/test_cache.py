"""A damaged cache, or another user's file in its place, never changes the tokens."""

from __future__ import annotations

import logging
import marshal
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rnnlm.data.jinyong import JinYong, JinYongConfig
from rnnlm.data.preparation import PreparedCorpus, prepare
from rnnlm.data.texts.splitting import SPLITS
from rnnlm.data.tokenizer import Tokenizer
from rnnlm.data.tokens import segmentation, token_cache
from rnnlm.results.record import Record
from tests.conftest import ROOT, Run
from tests.support.small_corpora import prepared

FILES = ("corpus.json", *(f"{name}.npy" for name in SPLITS))
DAMAGES = 120
NAMES = ROOT / "rnnlm" / "data" / "samples" / "jinyong_names.txt"
Damage = Callable[[Path, random.Random], None]


def flip_a_bit(path: Path, draw: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


def change_a_byte(path: Path, draw: random.Random) -> None:
    content = bytearray(path.read_bytes())
    place = draw.randrange(len(content))
    content[place] = (content[place] + draw.randrange(1, 256)) % 256
    path.write_bytes(content)


def cut(path: Path, draw: random.Random) -> None:
    os.truncate(path, draw.randrange(path.stat().st_size))


def fill_with_zeros(path: Path, draw: random.Random) -> None:
    content = path.read_bytes()
    start = draw.randrange(len(content) - 64)
    end = draw.randrange(start + 64, len(content) + 1)
    path.write_bytes(content[:start] + bytes(end - start) + content[end:])


def put_in_a_folder(path: Path, draw: random.Random) -> None:
    path.unlink()
    path.mkdir()
    (path / "something").touch()


def take_away(path: Path, draw: random.Random) -> None:
    path.unlink()


def take_another_split(path: Path, draw: random.Random) -> None:
    other = "train.npy" if path.name == "test.npy" else "test.npy"
    shutil.copyfile(path.with_name(other), path)


OFTEN: list[Damage] = [flip_a_bit, change_a_byte, cut, fill_with_zeros]
ONCE: list[Damage] = [put_in_a_folder, take_away, take_another_split]


def made(text: Path) -> PreparedCorpus:
    return prepared("time_machine", source=str(text), batch_size=2, seq_len=8)


def tokens(corpus: PreparedCorpus) -> object:
    """Return everything that training takes from a corpus."""
    splits = [
        (split.ids_N.tolist(), split.begin_id, split.num_chars, split.unknown_nats)
        for split in corpus.splits.values()
    ]
    return corpus.vocabulary.tokens, corpus.tokenizer.spelling.costs, corpus.notes, splits


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """A text so small that nearly every byte of its cache matters."""
    path = tmp_path / "text.txt"
    words = ["time", "machine", "ran", "to", "a", "far", "shore", "quietly"]
    draw = random.Random(0)
    path.write_text(" ".join(draw.choices(words, k=400)), encoding="utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_corpus_is_made_again(
    name: str, text: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    draw = random.Random(name)
    good = tokens(made(text))
    (folder,) = token_cache.cache_directory().iterdir()
    contents = {path.name: path.read_bytes() for path in folder.iterdir()}
    damages = [*ONCE, *(draw.choice(OFTEN) for _ in range(DAMAGES))]
    for damage in damages:
        caplog.clear()
        damage(folder / name, draw)
        harmless = (folder / name).is_file() and (folder / name).read_bytes() == contents[name]
        assert tokens(made(text)) == good
        assert len(caplog.records) == (0 if harmless else 1), damage
        # The cache is whole again.
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == contents
        assert len(list(folder.parent.iterdir())) == 1


@pytest.mark.parametrize("kind", ["a file", "a link", "a link to nothing"])
def test_what_stands_in_a_corpus_place_is_replaced(kind: str, text: Path, tmp_path: Path) -> None:
    good = tokens(made(text))
    (folder,) = token_cache.cache_directory().iterdir()
    elsewhere = folder.rename(tmp_path / "elsewhere")
    if kind == "a file":
        folder.touch()
    else:
        folder.symlink_to(elsewhere if kind == "a link" else tmp_path / "nothing")
    for _ in range(2):
        assert tokens(made(text)) == good
    assert folder.is_dir()
    assert not folder.is_symlink()
    assert elsewhere.is_dir()


def test_a_cache_that_cannot_be_written_is_done_without(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = tokens(made(text))
    (tmp_path / "file").touch()
    for cache in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nowhere")):
        monkeypatch.setenv("RNNLM_CACHE_DIR", str(cache))
        assert tokens(made(text)) == good
    assert (tmp_path / "file").read_bytes() == b""


@pytest.mark.slow
def test_what_anybody_puts_in_the_temporary_folder_changes_nothing(
    run_py: Run, tmp_path: Path
) -> None:
    """The test puts a jieba.cache there in which no word is longer than one character."""
    tokenizer = segmentation.JiebaTokenizer()
    tokenizer.initialize()
    characters = {word: number for word, number in tokenizer.FREQ.items() if len(word) < 2}
    ppl = []
    poisoned = marshal.dumps((characters, tokenizer.total))
    for number, content in enumerate([None, poisoned]):
        temporary = tmp_path / f"temporary{number}"
        temporary.mkdir()
        if content is not None:
            (temporary / "jieba.cache").write_bytes(content)
        finished = run_py(
            "model=unigram", "data=jinyong", "data.batch_size=8", f"output_dir=out{number}",
            TMPDIR=str(temporary), RNNLM_CACHE_DIR=str(tmp_path / f"cache{number}"),
        )  # fmt: skip
        assert finished.returncode == 0, finished.stderr
        assert "Traceback" not in finished.stderr
        left = [path.name for path in temporary.iterdir() if path.is_file()]
        assert left == ([] if content is None else ["jieba.cache"])
        (path,) = (tmp_path / f"out{number}").rglob("result.json")
        ppl.append(Record.read(path.parent).test)
    assert ppl[0] == ppl[1]


def test_a_dictionary_that_is_changed_or_gone_does_not_change_a_run(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_bytes(NAMES.read_bytes())
    config = JinYongConfig(name="jinyong", user_dict=str(path), batch_size=2, seq_len=4)
    tokenizer = prepare(JinYong(config)).tokenizer
    kept = tokenizer.kept()
    words = tokenizer.prompt_tokens("闻人鹊笑道")
    assert "闻人鹊" in words
    for change in (lambda: path.write_text("别的\n", encoding="utf-8"), path.unlink):
        change()
        other = Tokenizer.restored(JinYong(config), *kept.values())
        assert other.prompt_tokens("闻人鹊笑道") == words
