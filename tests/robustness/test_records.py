"""Damaged and hostile `result.json` files do no harm to the commands that read them."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from rnnlm.cli import main
from rnnlm.files.run_files import RECORD
from rnnlm.results.record import Record, RecordError
from tests.conftest import TINY, Run
from tests.plots.sweep import sweep
from tests.support.records import record

Output = pytest.CaptureFixture[str]

VIEWS = (
    ["results"],
    ["results", "--seeds"],
    ["results", "--grid", "test_ppl"],
    ["results", "--compare", "test_bpc"],
    *(["results", "--format", name] for name in ("csv", "json", "markdown", "latex", "html")),
)
LONG = "name" * 25_000
CONTROL = "\x1b]0;owned\x07\x9b2J\u202e"


def metrics(loss: float) -> dict[str, float]:
    return {
        **{"loss": loss, "ppl": math.exp(loss), "bpc": loss / math.log(2)},
        **{"num_tokens": 500, "num_chars": 500},
    }


def good(**fields: object) -> Record:
    """A record of a network with every field filled."""
    split = metrics(1.5)
    return record(
        **{
            **{"train": split, "validation": split, "test": split, "held_out_sha256": "b" * 64},
            **{"options": {"optimizer.lr": 0.01, "data.max_vocab": None}, "overrides": ["seed=1"]},
            **{"num_parameters": 1234, "epochs": 2, "best_epoch": 2, "oov_rate": 0.01},
            "history": {"train_running": [2.0, 1.6], "validation": [1.75, 1.5]},
            **{"prompt": "It was", "sample": " dark", "versions": {"torch": "2.11"}},
            **{"train_seconds": 10.0, "tokens_per_second": 900.0, "peak_memory_mb": 300.0},
            "started_at": "2026-01-01T00:00:00+00:00",
            **fields,
        }
    )  # fmt: skip


# Fields whose value has a wrong type.
NONE_OR_NO_NUMBERS: list[Any] = [None, 10**400, "4", 9.9, []]
WRONG: list[dict[str, Any]] = [
    *({"status": value} for value in (None, 1, "done", ["completed"], CONTROL)),
    *({"data": value} for value in (123, None, ["tang"])),
    *({"source": value} for value in (None, 5, {"path": "x"})),
    *({"text_sha256": 7}, {"held_out_sha256": 7}, {"model": None}, {"features": 3}),
    *({"seed": value} for value in ("1", 1.5, -1, True, [1], 10**40)),
    *({"fingerprint": 1}, {"overrides": "seed=1"}, {"overrides": [1]}, {"error": ["x"]}),
    *({"options": value} for value in ([1], "x", {"a": {"b": 1}}, {"a": 10**60}, None)),
    *({"num_parameters": value} for value in ("many", -3, 2.5, 10**30)),
    *({"vocab_size": "70"}, {"oov_rate": 7.5}, {"oov_rate": "1 %"}, {"epochs": "all"}),
    *({"best_epoch": "x"}, {"exact_match": 3}, {"exact_match_by": [1]}, {"history": [1.0]}),
    *({"history": {"validation": ["x"]}}, {"history": {"validation": 1}}, {"prompt": 1}),
    *({"sample": ["x"]}, {"versions": "2"}, {"versions": {"torch": 2}}, {"started_at": 5}),
    *({"finished_at": [2026]}, {"train_seconds": "long"}, {"peak_memory_mb": {}}),
    *({"train": None}, {"test": {}}, {"test": [1, 2]}, {"validation": {"loss": "low"}}),
    *({"test": {**metrics(1.5), "ppl": value}} for value in NONE_OR_NO_NUMBERS),
    *({"test": {**metrics(1.5), "num_tokens": value}} for value in (-5, 10**400, "500")),
    {"adaptation": {"weights": [1]}},
]
# Fields whose values have the right types but are odd.
ODD: list[dict[str, Any]] = [
    {"model": LONG},
    {"model": CONTROL, "features": CONTROL, "data": CONTROL, "source": f"x/{CONTROL}"},
    {"data": "../../etc/passwd", "features": "a/b", "model": "=1+1"},
    {"status": "failed", "train": None, "validation": None, "test": None, "error": CONTROL * 99},
    {"test": {**metrics(1.5), "loss": math.nan, "ppl": math.nan, "bpc": math.nan}},
    {"validation": metrics(708.0), "test": {**metrics(1.0), "loss": 800.0, "ppl": math.inf}},
    {"train": metrics(0.0), "validation": metrics(0.0), "test": metrics(0.0)},
    {"history": {"validation": [None, math.inf, -1.0]}, "epochs": 0, "best_epoch": 0},
    {"options": {"optimizer.lr": "=cmd()", LONG: LONG, CONTROL: CONTROL, "optimizer.name": [1]}},
    {"num_parameters": 2**53, "train_seconds": 1e308, "tokens_per_second": -1e308},
    {"exact_match_by": {CONTROL: {LONG: {"share": 2, "tasks": -1}}}, "exact_match": 0.5},
    {"overrides": ["a=\x1b[31m", LONG], "prompt": CONTROL, "sample": CONTROL * 1000},
]


def contents() -> Iterator[bytes]:
    """Yield contents of files that are not records, then records with a wrong field."""
    whole = asdict(good())
    yield from (b"", b"\x00" * 900, b"[]", b"{}", b'"text"', b"null", b"NaN", b"\xff\xfe{}", b"{")
    yield b"[" * 100_000
    yield b'{"a":' * 100_000
    yield json.dumps(whole).replace("500", "5" * 5_000).encode()
    yield json.dumps(whole).replace("1234", "1e400").encode()
    yield json.dumps({**whole, "source": "\udcc9"}).encode()
    yield json.dumps({**whole, "sha256": "0" * 64}).encode()
    for wrong in WRONG:
        yield json.dumps({**whole, **wrong}).encode()


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two good runs with curves, and a folder for the record under test."""
    sweep(tmp_path / "runs", seeds=1, cells=["gru-embed", "lstm-embed"])
    (tmp_path / "runs" / "tried").mkdir()
    return tmp_path / "runs"


def is_clean(text: str) -> bool:
    """Return True if the text holds no control characters except line ends and tabs."""
    text = text.replace("\r\n", "\n")  # the line end of CSV
    return not any(
        (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160 or c == "\u202e" for c in text
    )


@pytest.mark.slow
def test_what_is_no_record_is_one_line_and_its_neighbours_are_shown(
    runs: Path, capsys: Output
) -> None:
    hostile = list(contents())
    assert len(hostile) >= 70
    for content in hostile:
        (runs / "tried" / RECORD).write_bytes(content)
        for view in VIEWS:
            assert main([*view, str(runs)]) == 0, content[:200]
            output = capsys.readouterr()
            assert output.err.startswith(f"left out: {runs}/tried/{RECORD} ")
            assert output.err.count("\n") == 1
            assert is_clean(output.out + output.err)
            assert "lstm" in output.out


def page_and_plots(runs: Path, folder: Path) -> tuple[Path, Path]:
    """Make the report of the runs and their plots; return their paths."""
    page, plots = folder / "page.html", folder / "plots"
    assert main(["report", str(runs), "-o", str(page)]) == 0
    draw = ["--x", "epoch", "--y", "ppl", "--format", "svg"]
    assert main(["plot", str(runs), "-o", str(plots), *draw]) == 0
    return page, plots


@pytest.mark.slow
def test_pages_and_plots_of_records_that_are_none_show_the_others(
    runs: Path, tmp_path: Path, capsys: Output
) -> None:
    for index, content in enumerate(contents()):
        (runs / "tried" / str(index)).mkdir()
        (runs / "tried" / str(index) / RECORD).write_bytes(content)
    page, plots = page_and_plots(runs, tmp_path)
    assert capsys.readouterr().err.count("\n") == 2 * len(list(contents()))
    assert list(plots.iterdir())
    assert "lstm-embed" in page.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("odd", ODD)
def test_an_odd_record_is_shown_without_harm(
    odd: dict[str, Any], runs: Path, tmp_path: Path, capsys: Output
) -> None:
    good(**odd).write(runs / "tried")
    (runs / "tried" / "scalars.csv").write_text("step,epoch,loss/validation\n1,0,1e999\n")
    for view in VIEWS:
        assert main([*view, str(runs)]) == 0
        output = capsys.readouterr()
        assert is_clean(output.out + output.err)
        assert "\n" in output.out
        if "html" not in view and "latex" not in view and "json" not in view and "csv" not in view:
            assert len(output.out) < 60_000
    _, plots = page_and_plots(runs, tmp_path)
    assert is_clean(capsys.readouterr().out)
    assert all(path.parent == plots for path in plots.rglob("*"))


def flipped(content: bytearray, draw: random.Random) -> None:
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)


def replaced(content: bytearray, draw: random.Random) -> None:
    content[draw.randrange(len(content))] = draw.randrange(256)


def digit(content: bytearray, draw: random.Random) -> None:
    places = [place for place, byte in enumerate(content) if byte in b"0123456789"]
    content[draw.choice(places)] = draw.choice(b"0123456789")


def cut(content: bytearray, draw: random.Random) -> None:
    del content[draw.randrange(len(content)) :]


def zeroed(content: bytearray, draw: random.Random) -> None:
    start = draw.randrange(len(content))
    length = min(draw.randrange(1, 600), len(content) - start)
    content[start : start + length] = bytes(length)


def taken_out(content: bytearray, draw: random.Random) -> None:
    start = draw.randrange(len(content))
    del content[start : start + draw.randrange(1, 40)]


KINDS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    *(flipped, replaced, digit, cut, zeroed, taken_out),
)


@pytest.mark.slow
def test_no_mutation_of_a_record_changes_a_metric_without_a_word(tmp_path: Path) -> None:
    good().write(tmp_path)
    before = (tmp_path / RECORD).read_bytes()
    draw = random.Random(1)
    refused = 0
    for number in range(1_200):
        content = bytearray(before)
        KINDS[number % len(KINDS)](content, draw)
        (tmp_path / RECORD).write_bytes(content)
        try:
            assert Record.read(tmp_path) == good(), content
        except RecordError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 800


@pytest.mark.slow
def test_a_mutated_record_is_in_the_table_as_it_was_or_named_on_stderr(
    tmp_path: Path, capsys: Output
) -> None:
    def table(folder: Path) -> tuple[list[dict[str, str]], str]:
        status = main(["results", str(folder), "--format", "csv"])
        output = capsys.readouterr()
        assert status == 0, output.err
        return list(csv.DictReader(io.StringIO(output.out))), output.err

    good(seed=1).write(tmp_path / "runs" / "mutated")
    good(seed=2).write(tmp_path / "runs" / "neighbour")
    path = tmp_path / "runs" / "mutated" / RECORD
    whole, before = table(tmp_path / "runs")[0], path.read_bytes()
    draw = random.Random(2)
    for number in range(600):
        content = bytearray(before)
        KINDS[number % len(KINDS)](content, draw)
        path.write_bytes(content)
        rows, said = table(tmp_path / "runs")
        if said:
            assert said.startswith(f"left out: {path} ")
            assert said.count("\n") == 1
            assert [row["seed"] for row in rows] == ["2"]
        else:
            assert rows == whole
    path.unlink()
    assert len(table(tmp_path / "runs")[0]) == 1
    path.mkdir()
    rows, said = table(tmp_path / "runs")
    assert (len(rows), said) == (1, f"left out: {path} is not a record: it is not a file\n")
    path.rmdir()
    os.mkfifo(path)
    assert table(tmp_path / "runs")[1] == f"left out: {path} is not a record: it is not a file\n"


@pytest.mark.slow
def test_a_run_whose_record_is_damaged_is_done_again_once_with_the_same_metrics(
    run_py: Run, tmp_path: Path
) -> None:
    command = ["-m", "model=rnn,unigram,kneser_ney,xz,bz2", *TINY]
    assert run_py(*command).returncode == 0
    outputs = tmp_path / "outputs"
    paths = sorted(outputs.rglob(RECORD))
    assert len(paths) == 5
    before = {path: Record.read(path.parent) for path in paths}
    bz2, kneser_ney, unigram, xz, rnn = paths
    bz2.write_bytes(bz2.read_bytes().replace(b'"bpc": 2', b'"bpc": 1'))
    kneser_ney.write_bytes(kneser_ney.read_bytes()[:700])
    unigram.unlink()
    unigram.mkdir()
    (unigram / "file").touch()
    xz.write_bytes(b"[" * 100_000)
    rnn.unlink()
    shutil.copytree(bz2.parent, rnn)
    again = run_py(*command)
    assert again.returncode == 0, again.stderr
    assert "Traceback" not in again.stderr
    assert again.stderr.count(" counts as not completed: ") == 5
    for path, record_before in before.items():
        after = Record.read(path.parent)
        for name in ("fingerprint", "train", "validation", "test", "history", "sample"):
            assert getattr(after, name) == getattr(record_before, name)
    third = run_py(*command)
    assert (third.returncode, third.stderr) == (0, "")
    assert third.stdout.count(" is completed: ") == 5
