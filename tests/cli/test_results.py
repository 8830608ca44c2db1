"""rnnlm/cli/results.py and rnnlm/cli/selection.py"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from rnnlm.cli import main
from tests.support.records import record, split

Output = pytest.CaptureFixture[str]


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """Two cells on two corpora with three seeds each, and a record that is none."""
    for data in ("tang", "jaychou"):
        for model, ppl in (("lstm", 4.0), ("gru", 5.0)):
            for seed in (1, 2, 3):
                noise = {("lstm", 1): 0.1, ("gru", 3): 0.2}.get((model, seed), 0.0)
                options = {"optimizer.lr": 0.1 * seed if data == "jaychou" else 0.1}
                metrics = split(ppl + seed / 10 + noise)
                run = record(
                    data=data, model=model, seed=seed, options=options, text_sha256=data,
                    validation=metrics, test=metrics,
                )  # fmt: skip
                run.write(tmp_path / data / model / str(seed))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "result.json").write_text("{")
    return tmp_path


def rows(output: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(output)))


def test_all_runs_of_several_folders_and_what_is_broken_is_named(
    sweep: Path, capsys: Output
) -> None:
    folders = [str(sweep / name) for name in ("tang", "jaychou", "broken")]
    assert main(["results", *folders, "--format", "csv"]) == 0
    output = capsys.readouterr()
    assert len(rows(output.out)) == 12
    assert output.err.startswith(f"left out: {sweep}/broken/result.json is not a record")


def test_runs_are_chosen_by_columns_and_options(sweep: Path, capsys: Output) -> None:
    chosen = ["--data", "jaychou,nope", "--model", "gru,lstm", "--where", "optimizer.lr=0.2"]
    assert main(["results", str(sweep), *chosen, "--format", "csv"]) == 0
    found = rows(capsys.readouterr().out)
    assert {(row["data"], row["model"], row["seed"]) for row in found} == {
        ("jaychou", "lstm", "2"),
        ("jaychou", "gru", "2"),
    }


def test_columns_and_order(sweep: Path, capsys: Output) -> None:
    arguments = [
        "--columns",
        "test_ppl,optimizer.lr",
        "--sort",
        "test_ppl",
        "--descending",
        "--data",
        "tang",
    ]
    assert main(["results", str(sweep), *arguments, "--format", "csv"]) == 0
    found = rows(capsys.readouterr().out)
    assert list(found[0]) == ["test_ppl", "optimizer.lr", "best"]
    values = [float(row["test_ppl"]) for row in found]
    assert values == sorted(values, reverse=True)


def test_seeds_grid_and_comparison_are_views(sweep: Path, capsys: Output) -> None:
    tang = [str(sweep), "--data", "tang", "--format", "json"]
    assert main(["results", *tang, "--seeds"]) == 0
    (table,) = json.loads(capsys.readouterr().out)
    assert [(row["model"], row["n"]) for row in table["rows"]] == [("lstm", 3), ("gru", 3)]
    assert main(["results", *tang, "--grid", "test_bpc"]) == 0
    (table,) = json.loads(capsys.readouterr().out)
    assert [row["model"] for row in table["rows"]] == ["lstm", "gru"]
    assert table["title"].startswith("test bits/char · tang")
    assert main(["results", *tang, "--compare"]) == 0
    (table,) = json.loads(capsys.readouterr().out)
    assert table["rows"][0]["better"] == "lstm-embed"
    assert table["notes"][0].startswith("Lowest test ppl: lstm-embed")


def test_the_terminal_gets_a_table(sweep: Path, capsys: Output) -> None:
    assert main(["results", str(sweep), "--data", "tang"]) == 0
    assert "* tang" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["t.csv", "t.json", "t.md", "t.tex", "t.html"])
def test_a_file_is_written_in_the_format_of_its_name(
    name: str, sweep: Path, tmp_path: Path, capsys: Output
) -> None:
    assert main(["results", str(sweep), "-o", str(tmp_path / name)]) == 0
    assert not capsys.readouterr().out
    head = (tmp_path / name).read_text()[:20].strip()
    starts = {
        "csv": "data,",
        "json": "[",
        "md": "| data |",
        "tex": "% needs \\usepackage",
        "html": "<",
    }
    assert head.startswith(starts[name.removeprefix("t.")])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "nope"], "no run has model=nope; the runs have model=gru, lstm"),
        (["--columns", "nope"], "no column nope; there are data, "),
        (["--sort", "nope"], "no column nope; there are data, "),
        (["--descending"], "--descending needs --sort COLUMN"),
        (["--grid", "--columns", "model"], "--columns and --sort are for runs and --seeds"),
        (["--compare", "--sort", "test_ppl"], "--columns and --sort are for runs and --seeds"),
        (["--where", "nope"], "--where nope: it takes NAME=VALUE"),
        (["--where", "nope=1"], "no column nope"),
        (["-o", "table.xyz"], "table.xyz: say which --format, csv, json"),
        (["-o", "nowhere/table.csv"], "nowhere/table.csv cannot be written (No such file"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: list[str], message: str, sweep: Path, capsys: Output
) -> None:
    assert main(["results", str(sweep / "tang"), *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"rnnlm results: {message}")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("folder", "message"), [("nope", "no folder nope"), (".", "no finished run below .")]
)
def test_nothing_to_show_is_said_in_one_line(
    folder: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["results", folder]) == 2
    assert capsys.readouterr().err.startswith(f"rnnlm results: {message}")


@pytest.mark.parametrize("arguments", [[], ["results", "--compare", "train_seconds"]])
def test_a_usage_error_has_status_2(arguments: list[str], capsys: Output) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    error = capsys.readouterr().err
    assert error.startswith("rnnlm")
    assert error.endswith(" --help\n")
    assert error.count("\n") == 1
