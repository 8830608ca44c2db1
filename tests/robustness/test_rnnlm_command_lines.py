"""Bad command lines of `rnnlm` end in one line and status 2, and write nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rnnlm.cli import main
from tests.plots.sweep import sweep
from tests.trained_runs import TrainedRuns

Output = pytest.CaptureFixture[str]

DIGITS = "9" * 5_000
CONTROL = "\x1b]0;owned\x07"
# Values that an option refuses. RUN, RUNS and so on are the paths of the fixture below.
COUNTS = ("", "-1", "0", "1.5", "x", DIGITS, f"-{DIGITS}", "1e3", "nan", "10000001", " ", "٣x")
NUMBERS = ("", "-1", "nan", "inf", "x", "1e999", DIGITS, CONTROL)
CONDITIONS = (
    *("", "=", "x", "=1", "nope=1", "model", "model=", "model=nope", "seed=99", "seed=x"),
    *("optimizer.lr<0.01", "optimizer.lr>=1", "seed!=1", "seed==1", "model=lstm,nope=2"),
    *("model=gru,seed=7", f"seed={DIGITS}", f"validation_ppl@{DIGITS}=1", f"{CONTROL}=1"),
    *(f"model={CONTROL}", f"{'x' * 9_999}=1", "a,b", "1=1", "exact_match[digits=1]=1"),
)
LINES: list[list[str]] = [
    *([], [""], ["nope"], ["--nope"], [CONTROL], ["results", "--nope"], ["results", DIGITS]),
    *(["results", folder] for folder in ("nope", "FILE", "EMPTY", "a\0b", "x" * 300, "FIFO")),
    *(["results", "RUNS", "--where", condition] for condition in CONDITIONS),
    *(["plot", "RUNS", "--where", condition] for condition in CONDITIONS[:6]),
    *(["results", "RUNS", f"--{flag}", "nope"] for flag in ("data", "model", "features", "seed")),
    *(["results", "RUNS", f"--{flag}", ""] for flag in ("data", "model", "features", "seed")),
    *(["results", "RUNS", "--columns", name] for name in ("nope", "model,,seed", DIGITS, CONTROL)),
    *(["results", "RUNS", "--sort", name] for name in ("nope", f"validation_ppl@{DIGITS}", "")),
    *(["results", "RUNS", "--grid", name] for name in ("nope", "seed", CONTROL)),
    *(["results", "RUNS", "--compare", name] for name in ("nope", "train_seconds")),
    *(["results", "RUNS", "--seeds", "--grid"], ["results", "RUNS", "--descending"]),
    ["results", "RUNS", "--grid", "test_ppl", "--sort", "seed"],
    *(["results", "RUNS", "--format", name] for name in ("xlsx", "", CONTROL)),
    *(["results", "RUNS", "-o", path] for path in ("x.xlsx", "nope/x.csv", "EMPTY", "LOOP", "")),
    *(["report", "RUNS", "-o", path] for path in ("nope/x.html", "EMPTY", "LOOP", "/dev/full")),
    *(["plot", "RUNS", "-o", path] for path in ("FILE", "FILE/x", "/dev/null")),
    *(["plot", "RUNS", f"--{flag}", "nope"] for flag in ("x", "y", "format", "figure")),
    *(["plot", "RUNS", f"--{flag}", ""] for flag in ("x", "y", "format", "figure")),
    *(["generate"], ["generate", "nope"], ["generate", "FILE"], ["report", "FILE"]),
    *(["generate", folder] for folder in ("EMPTY", "FIFO", "RUNS", "a\0b", "x" * 300, "/dev/zero")),
    *(["generate", "RUN"], ["generate", "RUN", "--prompt", ""]),  # RUN has no <bos>
    *(["generate", "RUN", "--prompt", "It", "--length", value] for value in COUNTS),
    *(["generate", "RUN", "--prompt", "It", "--num", value] for value in (*COUNTS, "1000000000")),
    *(["generate", "RUN", "--prompt", "It", "--beam", value] for value in (*COUNTS, "1001")),
    *(["generate", "RUN", "--prompt", "It", "--top-k", value] for value in COUNTS[:-3]),
    *(["generate", "RUN", "--prompt", "It", "--seed", value] for value in ("-1", "4294967296")),
    *(["generate", "RUN", "--prompt", "It", "--temperature", value] for value in NUMBERS),
    *(["generate", "RUN", "--prompt", "It", "--top-p", value] for value in (*NUMBERS, "0", "1.5")),
    *(["generate", "RUN", "--prompt", "It", "--repetition-penalty", v] for v in (*NUMBERS, "0")),
    *(["generate", "RUN", "--prompt", "It", "--state", value] for value in ("", "ones", CONTROL)),
    *(["generate", "RUN", "--prompt", "It", "--form", value] for value in ("", "sonnet", "wujue")),
    *(["generate", "RUN", "--prompt", "It", flag] for flag in ("--rhyme", "--tones", "--score")),
    *(["generate", "RUN", "--prompt", "It", "--acrostic", value] for value in ("春", DIGITS)),
    *(["generate", "RUN", "--prompt", value] for value in ("\udcff", "It\udcff")),
    *(["generate", "RUN", "--prompt", "It", "--acrostic", "\udcff"],),
    *(["generate", "RUN", "--prompt", "It", "--stop", ""],),
    *(["generate", "RUN", "--prompt", "It", "--device", value] for value in ("cuda:99", "", "tpu")),
    *(["generate", "RUN", "--prompt", "It", "-o", path] for path in ("EMPTY", "nope/x", "LOOP")),
    ["generate", "RUN", "--prompt", "It", "-o", ""],
    *(["generate", "RUN", "--prompt", "It", "--greedy", *more] for more in (["--top-k", "3"],)),
    *(["generate", "RUN", "--where", "seed=1"], ["generate", "RUNS", "--best", "nope"]),
    *(["generate", "RUNS", "--best", ""], ["generate", "nope", "--best", "tang"]),
    *(["generate", "RUNS", "--best", "time_machine", "--where", w] for w in CONDITIONS[:9]),
    *(["evaluate"], ["evaluate", "RUN"], ["evaluate", "nope", "FILE"]),
    ["evaluate", "FILE", "FILE"],
    *(["evaluate", "RUN", path] for path in ("nope", "EMPTY", "/dev/null", "a\0b", "x" * 300)),
    ["evaluate", "RUN", "FILE", "--device", "tpu"],
]  # fmt: skip


@pytest.fixture
def paths(
    trained_runs: TrainedRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """Paths that the lines name, in a new folder that is the working directory."""
    sweep(tmp_path / "runs", seeds=1, cells=["gru-embed", "lstm-embed"])
    (tmp_path / "file").write_text("It was dark.\n" * 9)
    (tmp_path / "empty").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "fifo")
    monkeypatch.chdir(tmp_path)
    found = {
        name.upper(): str(tmp_path / name) for name in ("runs", "file", "empty", "loop", "fifo")
    }
    return {**found, "RUN": str(trained_runs("prose"))}


def status_of(line: list[str]) -> int:
    try:
        return main(line)
    except SystemExit as error:
        assert isinstance(error.code, int)
        return error.code


@pytest.mark.slow
def test_what_cannot_be_carried_out_is_one_line_and_status_2(
    paths: dict[str, str], tmp_path: Path, capsys: Output
) -> None:
    assert len(LINES) >= 150
    before = {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")}
    for line in LINES:
        given = [paths.get(argument.partition("/")[0], argument) for argument in line]
        assert status_of(given) == 2, line
        output = capsys.readouterr()
        assert not output.out, line
        assert output.err.startswith("rnnlm"), line
        assert output.err.count("\n") == 1, output.err
        assert "\x1b" not in output.err
        assert len(output.err) < 4_000
    assert {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.fixture
def shell(paths: dict[str, str]) -> dict[str, str]:
    return {**os.environ, **paths, "PYTHON": sys.executable}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "statuses", "lines"),
    [
        ("results $RUNS >&-", {2}, 1),
        ("results $RUNS >/dev/full", {2}, 1),
        ("results nope 2>&-", {2}, 0),
        ("results nope >&- 2>&-", {2}, 0),
        ("results $RUNS 2>&- >/dev/null", {0}, 0),
        ("--help >/dev/full", {2}, 1),
        ("results --help | head -1 >/dev/null; exit ${PIPESTATUS[0]}", {0, 141}, 0),
        ("results $RUNS --format json | head -1 >/dev/null; exit ${PIPESTATUS[0]}", {0, 141}, 0),
        ("results $RUNS <&- >/dev/null", {0}, 0),
    ],
)
def test_closed_full_and_broken_outputs(
    script: str, statuses: set[int], lines: int, shell: dict[str, str]
) -> None:
    command = ["bash", "-c", f"$PYTHON -m rnnlm {script}"]
    result = subprocess.run(command, env=shell, capture_output=True, text=True, check=False)
    assert result.returncode in statuses
    assert result.stderr.count("\n") == lines
    assert "Traceback" not in result.stderr


@pytest.mark.slow
def test_an_interrupt_at_any_moment_leaves_no_traceback(paths: dict[str, str]) -> None:
    """The signal comes after the first import of the project; before it, Python itself stops."""
    script = "import sys; from rnnlm.cli import main; print('here', flush=True); sys.exit(main())"
    for tenth in range(12):
        command = [sys.executable, "-c", script, "generate", paths["RUN"], "--prompt", "It"]
        with subprocess.Popen(
            [*command, "--length", "1000000", "--output", "/dev/null"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "here\n"
            time.sleep(0.05 + tenth / 5)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
            assert (process.returncode, said) == (130, "")
