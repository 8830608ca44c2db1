"""Hostile texts, zips and JSON as `data.source` are read, or refused in one line."""

from __future__ import annotations

import io
import json
import os
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest

from rnnlm.options import OptionError
from tests.conftest import Run
from tests.support.small_corpora import prepared

TEXT = "".join(
    f"{number} men went down to the sea, and {number} came home.\n" for number in range(60)
)
CHINESE = "　　他走進門來，說道：「好冷！」衆人都不作聲。\n" * 30
POEM = "白水過前村，青山出遠門。一夜風吹雨，三春鳥入雲。"


def loaded(name: str, source: Path) -> str:
    """Return "read" if the source becomes a corpus, else the line of its refusal."""
    try:
        corpus = prepared(name, source=str(source), batch_size=1, seq_len=1)
    except OptionError as error:
        line = str(error)
        assert "\n" not in line
        assert line.startswith("data.")
        assert len(line) < 1000
        return line
    assert corpus.notes[0].startswith("read ")
    assert sum(split.num_tokens for split in corpus.splits.values()) > 0
    return "read"


def mutated(content: bytes, chooser: random.Random) -> bytes:
    """Return the content with bits flipped, or bytes deleted, inserted or repeated."""
    changed = bytearray(content)
    for _ in range(chooser.choice([1, 1, 3, 30])):
        place = chooser.randrange(len(changed))
        match chooser.randrange(5):
            case 0:
                changed[place] ^= 1 << chooser.randrange(8)
            case 1:
                del changed[place : place + chooser.randrange(1, 40)]
            case 2:
                changed[place:place] = chooser.randbytes(chooser.randrange(1, 9))
            case 3:
                changed[place:place] = bytes(chooser.randrange(1, 9))
            case _:
                changed[place:place] = changed[: chooser.randrange(40)]
        changed = changed or bytearray(b"x")
    return bytes(changed)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["time_machine", "jaychou", "jinyong", "tang"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030", "big5", "shift_jis", "hz"]
)
def test_damaged_texts(tmp_path: Path, name: str, encoding: str) -> None:
    chooser = random.Random(f"{name} {encoding}")
    text = CHINESE if name in ("jinyong", "tang") else CHINESE + TEXT
    content = text.encode(encoding, "ignore")
    for number in range(10):
        path = tmp_path / f"{number}.txt"
        path.write_bytes(mutated(content, chooser))
        outcome = loaded(name, path)
        if encoding in ("shift_jis", "hz"):
            assert outcome != "read"


HOSTILE = {
    "empty": b"",
    "blank": b" \n\t\r\n",
    "zeros": bytes(1000),
    "noise": random.Random(1).randbytes(4000),
    "a mark alone": b"\xef\xbb\xbf",
    "half a character": "春".encode()[:2],
    "an odd UTF-16": "\ufeffab".encode("utf-16-le") + b"x",
    "surrogates": "\ud800\udfff".encode("utf-16-le", "surrogatepass") * 50,
    "one character": b"a",
    "one character, often": b"a" * 5000,
    "control characters": bytes(range(1, 32)) * 50,
    "noncharacters": "\uffff\ufdd0\U0001ffff".encode() * 100,
    "right to left": "\u202eabc\u202c".encode() * 100,
    "combining": ("e" + "\u0301" * 500).encode() * 3,
    "emoji": "👩‍👩‍👧‍👦".encode() * 100,
    "one long line": "字".encode() * 200_000,
    "open brackets": "（〖[{<".encode() * 20_000,
    "closed brackets": ("(" * 20_000 + ")" * 20_000).encode(),
    "colons": b":" * 20_000,
    "question marks": b"?," * 20_000,
    "underscores": b"_" * 20_000,
    "addresses": b"www.a.com " * 10_000,
    "a picture": b"\x89PNG\r\n\x1a\n" + random.Random(2).randbytes(2000),
    "gzip": b"\x1f\x8b\x08" + random.Random(3).randbytes(2000),
    "escape sequences": b"\x1b]0;title\x07 red \x1b[31m" * 50,
    "special tokens": b"<unk><bos><eos>\n" * 100,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["time_machine", "jaychou", "jinyong", "tang"])
def test_hostile_texts(tmp_path: Path, name: str) -> None:
    for kind, content in HOSTILE.items():
        path = tmp_path / f"{kind}.txt"
        path.write_bytes(content)
        outcome = loaded(name, path)
        if kind in ("empty", "blank", "zeros", "noise", "a picture", "gzip", "half a character"):
            assert outcome != "read", kind


@pytest.mark.slow
@pytest.mark.parametrize(
    "compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_damaged_zips(tmp_path: Path, compression: int) -> None:
    chooser = random.Random(compression)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("第一章.txt", TEXT)
        archive.writestr("sub/第二章.txt", CHINESE)
    refused = 0
    for number in range(30):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(mutated(buffer.getvalue(), chooser))
        refused += loaded("jaychou", path) != "read"
    assert refused > 10


def hostile_json(chooser: random.Random, depth: int = 0) -> Any:
    """Return random JSON values, often in the place of a poem or its text."""
    match chooser.randrange(9 if depth < 4 else 6):
        case 0:
            return chooser.choice([None, True, -1, 10**30, 1e300, "", "\ud800", "\0"])
        case 1 | 2:
            return POEM[: chooser.randrange(len(POEM))]
        case 3 | 4 | 5:
            return {"paragraphs": [POEM + str(chooser.random())]}
        case 6:
            return [hostile_json(chooser, depth + 1) for _ in range(chooser.randrange(4))]
        case _:
            keys = ["paragraphs", "title", "author", "Paragraphs", ""]
            return {chooser.choice(keys): hostile_json(chooser, depth + 1) for _ in range(2)}


@pytest.mark.slow
def test_two_hundred_wrong_json_files(tmp_path: Path) -> None:
    chooser = random.Random(5)
    whole = json.dumps([{"paragraphs": [f"{POEM}{number}"]} for number in range(20)]).encode()
    for number in range(200):
        path = tmp_path / f"{number}.json"
        if number % 2:
            content = [hostile_json(chooser) for _ in range(chooser.randrange(5))]
            path.write_text(json.dumps(content), encoding="utf-8")
        else:
            path.write_bytes(mutated(whole, chooser))
        loaded("tang", path)
    for text in ("[" * 100_000, "9" * 10_000, "[1e999]", '{"a":' * 50_000, "[NaN]", "[] []"):
        (tmp_path / "deep.json").write_text(text)
        assert loaded("tang", tmp_path / "deep.json") != "read"


def test_a_file_without_poems_beside_others_is_passed_over(tmp_path: Path) -> None:
    # No two poems are near-copies: those would all be in one split.
    poems = [{"paragraphs": [f"{c * 4}，{c * 5}。"]} for c in "一二三四五六七八九十甲乙丙丁"]
    (tmp_path / "authors.json").write_text('[{"name": "x"}]')
    (tmp_path / "poems.json").write_text(json.dumps(poems))
    corpus = prepared("tang", source=str(tmp_path), batch_size=1, seq_len=1)
    assert "passed over, no poems of the Tang: authors.json" in corpus.notes
    # In a clone of the collection, only the files of the Tang are read.
    for name in ("poet.tang.0.json", "poet.song.0.json"):
        (tmp_path / name).write_text(json.dumps(poems[:12]))
    corpus = prepared("tang", source=str(tmp_path), batch_size=1, seq_len=1)
    assert corpus.notes[1].startswith("12 of 12 poems")
    assert any("authors.json, poems.json, poet.song.0.json" in note for note in corpus.notes)
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "full").mkdir()
    (tmp_path / "poet.tang.0.json").rename(tmp_path / "root" / "full" / "poet.tang.0.json")
    assert "are in" in loaded("tang", tmp_path / "root")


@pytest.mark.slow
def test_the_command_refuses_in_one_line_with_status_2(run_py: Run, tmp_path: Path) -> None:
    (tmp_path / "accents.txt").write_bytes(("he can’t, she isn’t, " * 40).encode("cp1252"))
    os.mkfifo(tmp_path / "pipe.txt")
    for option, message in (
        ("data.source=accents.txt", "cp1252"),
        ("data.source=pipe.txt", "is no file that can be read twice"),
    ):
        result = run_py("model=unigram", option)
        assert result.returncode == 2
        assert message in result.stderr
        assert result.stderr.count("\n") == 1
    told = run_py(
        "model=unigram", "data.source=accents.txt", "data.encoding=cp1252", "data.batch_size=8"
    )
    assert told.returncode == 0, told.stderr
    (log,) = tmp_path.glob("outputs/**/run.log")
    assert "read 1 file in cp1252: 840 characters" in log.read_text(encoding="utf-8")
