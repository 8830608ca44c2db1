"""rnnlm/sweep/sweep.py: real sweeps, each in a process of its own."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rnnlm.data import corpora
from rnnlm.results.record import Record, find_records
from tests.conftest import ROOT, TINY, Run

GRID = ["-m", "model=rnn,lstm,gru", "features=embed,onehot"]
CELLS = {f"{cell}-{kind}" for cell in ("rnn", "lstm", "gru") for kind in ("embed", "onehot")}


@pytest.fixture(scope="module")
def swept(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The 3 x 2 grid, tiny."""
    folder = tmp_path_factory.mktemp("swept")
    command = [sys.executable, str(ROOT / "run.py"), *GRID, *TINY]
    return folder, subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)


def records(folder: Path) -> list[Record]:
    return [record for _, record in find_records([folder])[0]]


def table(output: str) -> list[str]:
    return [line for line in output.splitlines() if re.match(r"[* ] time_machine ", line)]


def test_the_grid_runs_and_ends_in_a_table_of_its_cells(
    swept: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, result = swept
    assert result.returncode == 0, result.stderr
    found = records(folder)
    assert {f"{r.model}-{r.features}" for r in found} == CELLS
    assert len({r.fingerprint for r in found}) == 6
    rows = table(result.stdout)
    assert len(rows) == 6
    assert rows[0].startswith("*")
    assert not any(row.startswith("*") for row in rows[1:])
    best = min(found, key=lambda r: r.validation["ppl"] if r.validation else 1e9)
    assert rows[0].split()[3:5] == [best.model, best.features]
    assert (folder / "outputs" / "results.csv").is_file()
    assert (folder / "outputs" / "results.md").is_file()


def test_the_output_tells_which_run_of_how_many_and_nothing_needless(
    swept: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    _, result = swept
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    # A slow machine also shows how far a run is.
    lines = [line for line in lines if not re.match(r"\d/6 .* left$", line)]
    progress = [line for line in lines if re.match(r"\d/6 ", line)]
    assert [line[0] for line in progress] == list("123456")
    for line in progress:
        assert re.search(
            r"epoch 1/1  train loss \d+\.\d+ ppl \d+\.\d+  "
            r"validation loss \d+\.\d+ ppl \d+\.\d+  completed in 0:00:\d\d$",
            line,
        )
    summaries = [line for line in lines if line.startswith("sweep: ")]
    for done, line in enumerate(summaries, 1):
        waiting = 6 - done
        counts = f"sweep: {done} completed, 0 running, 0 failed, {waiting} waiting  0:"
        assert line.startswith(counts)
    # Six lines of runs and five of the sweep, three of headings, six rows, the legend and where it
    # was written.
    assert len(summaries) == 5
    assert len(lines) == 22
    assert "\x1b" not in result.stdout


def test_a_runs_folder_holds_all_that_is_promised(
    swept: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, _ = swept
    runs = [path for path, _ in find_records([folder])[0]]
    for run in runs:
        for name in (".hydra/config.yaml", "run.log", "checkpoints/best.ckpt", "scalars.csv"):
            assert (run / name).is_file()
        assert (run / "checkpoints" / "last.ckpt").is_file()
        assert list(run.glob("events.out.tfevents.*"))
        assert re.fullmatch(
            r"outputs/time_machine,[0-9a-f]{8}/\w+-\w+/seed1", str(run)[len(str(folder)) + 1 :]
        )


def test_the_same_command_finds_the_same_runs_and_does_not_repeat_them(
    swept: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, first = swept
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("result.json")}
    command = [sys.executable, str(ROOT / "run.py"), *GRID, *TINY]
    again = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert again.returncode == 0
    assert again.stdout.count(" is completed: outputs/time_machine,") == 6
    assert table(again.stdout) == table(first.stdout)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("result.json")} == before


def test_the_table_can_be_made_again_from_the_records(
    swept: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, first = swept
    command = [str(Path(sys.executable).parent / "rnnlm"), "results"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=True)
    assert table(result.stdout) == table(first.stdout)
    for name in ("results.csv", "results.md"):
        subprocess.run([*command, "-o", name], cwd=folder, check=True)
        assert (folder / name).read_text() == (folder / "outputs" / name).read_text()


def test_a_failed_run_does_not_stop_the_others(run_py: Run, tmp_path: Path) -> None:
    rates = "optimizer.lr=1e30,0.1"
    result = run_py("-m", rates, "optimizer=sgd", "trainer.gradient_clip_val=null", *TINY)
    assert result.returncode == 1
    assert sorted(r.status for r in records(tmp_path)) == ["completed", "failed"]
    assert "Traceback" not in result.stdout + result.stderr
    assert "optimizer.lr" in result.stderr
    assert [row.split()[-1] for row in table(result.stdout)] == ["completed", "failed"]
    failed = next(path for path, r in find_records([tmp_path])[0] if r.status == "failed")
    assert "Traceback" in (failed / "run.log").read_text()


def test_every_corpus_trains_on_its_sample(run_py: Run, tmp_path: Path) -> None:
    names = sorted(corpora())
    result = run_py("-m", f"data={','.join(names)}", "data.num_sums=500", *TINY)
    assert "data.num_sums: the chosen data has no such option" in result.stderr
    result = run_py("-m", f"data={','.join(names)}", *TINY)
    assert result.returncode == 0, result.stderr
    found = {record.data: record for record in records(tmp_path)}
    assert sorted(found) == names
    assert found["addition"].exact_match is not None
    assert found["tang"].exact_match is None
    assert len([line for line in result.stdout.splitlines() if line.startswith("* ")]) == 1 + len(
        names
    )


def test_what_was_cleaned_away_is_in_the_log(run_py: Run, tmp_path: Path) -> None:
    assert run_py("data=tang", *TINY).returncode == 0
    (path,) = tmp_path.rglob("run.log")
    assert "tang: 317 of 317 poems; left out: nothing" in path.read_text()


def test_one_run_is_forced_again_with_the_same_metrics(run_py: Run, tmp_path: Path) -> None:
    command = ("model=gru", "features=onehot", *TINY)
    assert run_py(*command).returncode == 0
    (path,) = tmp_path.rglob("result.json")
    first = json.loads(path.read_text())
    result = run_py(*command, "force=true")
    assert result.returncode == 0
    assert "1/1 time_machine gru-onehot seed 1" in result.stdout
    second = json.loads(path.read_text())
    assert second["started_at"] >= first["started_at"]
    for name in ("train", "validation", "test", "best_epoch"):
        assert first[name] == second[name]


def test_the_full_text_comes_from_the_cache(run_py: Run, real_data: Path, tmp_path: Path) -> None:
    environment = {"RNNLM_DATA_DIR": str(real_data)}
    result = run_py("data.source=full", "trainer.max_steps=2", *TINY, **environment)
    assert result.returncode == 0, result.stderr
    assert "Downloading" not in result.stderr
    (record,) = records(tmp_path)
    assert record.source == "full"
    assert record.test is not None
    assert record.test["num_chars"] == 17_897


def test_cells_are_compared_at_equal_size(run_py: Run, tmp_path: Path) -> None:
    equal = ["model.num_parameters=50000", *[o for o in TINY if "hidden_size" not in o]]
    result = run_py("-m", "model=rnn,lstm", "features=embed,onehot", *equal)
    assert result.returncode == 0, result.stderr
    found = records(tmp_path)
    assert len({r.options["model.hidden_size"] for r in found}) == 4
    assert all(abs((r.num_parameters or 0) - 50_000) <= 500 for r in found)
    assert len({folder.parent.parent for folder, _ in find_records([tmp_path])[0]}) == 1
    impossible = run_py("model.num_parameters=100", "output_dir=other")
    assert (impossible.returncode, impossible.stdout) == (2, "")
    assert impossible.stderr.startswith("model.num_parameters: no lstm with features=embed comes")
    assert impossible.stderr.count("\n") == 1
    assert not list((tmp_path / "other").iterdir())


def test_seeds_end_in_their_means_too(run_py: Run) -> None:
    result = run_py("-m", "seed=1,2", *TINY)
    assert result.returncode == 0, result.stderr
    rows = table(result.stdout)
    assert len(rows) == 3
    assert re.search(r" embed +2 .* \d+\.\d+ ± \d+\.\d+ \(\d+\.\d+\) ", rows[2])


def test_values_are_what_was_typed_whatever_their_letters(run_py: Run, tmp_path: Path) -> None:
    names = ["小说.txt", "a(1) & b.txt", "it's.txt", "TMP\udcbd\udcf0.txt"]
    for number, name in enumerate(names):
        (tmp_path / name).write_text("the time traveller went on. " * 60 + str(number))
    small = ["model=unigram", "data.batch_size=1", "data.seq_len=4"]
    sources = f"data.source={','.join(names[:3])}"
    result = run_py("-m", sources, "output_dir=~/实验", *small, HOME=str(tmp_path))
    assert result.returncode == 0, result.stderr
    found = records(tmp_path / "实验")
    assert sorted(record.source for record in found) == sorted(names[:3])
    again = shlex.join(["run.py", *found[0].overrides])
    assert run_py(*shlex.split(again)[1:], HOME=str(tmp_path)).stdout.startswith(
        "time_machine unigram is completed"
    )
    # A name that is no Unicode leaves the others alone, on a screen of ASCII, too.
    mixed = [f"data.source={names[3]},{names[0]}", "output_dir=mixed", *small]
    result = run_py("-m", *mixed, PYTHONIOENCODING="ascii")
    assert "Traceback" not in result.stderr + result.stdout
    assert "\\u5c0f\\u8bf4.txt" in result.stdout
    assert "小说.txt" in {record.source for record in records(tmp_path / "mixed")}
    assert (tmp_path / "mixed" / "results.csv").is_file()


def test_a_secret_is_recorded_as_it_was_typed(run_py: Run, tmp_path: Path) -> None:
    typed = ['logger.tensorboard.comment="${oc.env:TOKEN}"', "model.num_layers=${oc.env:LAYERS}"]
    command = [f"+{typed[0]}", *typed[1:], *TINY]
    result = run_py(*command, TOKEN="sk-secret", LAYERS="2")
    assert result.returncode == 0, result.stderr
    (record,) = records(tmp_path)
    assert record.options["model.num_layers"] == 2
    assert command[:2] == record.overrides[:2]
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    keeps = [path.name for path in written if b"sk-secret" in path.read_bytes()]
    assert all(name.startswith("events.out.tfevents") for name in keeps), keeps


def test_a_pipe_that_ends_does_not_end_the_sweep(tmp_path: Path) -> None:
    run = shlex.join([sys.executable, str(ROOT / "run.py"), "-m", "model=unigram,xz"])
    for redirected in ("| head -1; exit ${PIPESTATUS[0]}", ">&- 2>&-"):
        result = subprocess.run(
            ["bash", "-c", f"{run} output_dir=out {redirected}"],
            capture_output=True,
            cwd=tmp_path,
            check=False,
        )
        assert (result.returncode, result.stderr) == (0, b"")
        assert len(records(tmp_path)) == 2
        assert (tmp_path / "out" / "results.csv").is_file()
        shutil.rmtree(tmp_path / "out")
