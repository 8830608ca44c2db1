"""rnnlm/cli/generate.py and rnnlm/cli/model.py"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from rnnlm.cli import main
from rnnlm.generation.verse.score import score
from rnnlm.results.record import Record
from rnnlm.runs.trained_model import load
from tests.trained_runs import TrainedRuns

Output = pytest.CaptureFixture[str]


@pytest.fixture
def tang(trained_runs: TrainedRuns) -> str:
    return str(trained_runs("tang"))


@pytest.fixture
def prose(trained_runs: TrainedRuns) -> str:
    return str(trained_runs("prose"))


def printed(capsys: Output, *arguments: str) -> str:
    assert main(["generate", *arguments]) == 0
    output = capsys.readouterr()
    assert not output.err
    return output.out


def test_the_text_goes_on_from_the_prompt(prose: str, capsys: Output) -> None:
    options = ["--length", "40", "--seed", "3", "--temperature", "0.8", "--top-k", "5"]
    text = printed(capsys, prose, "--prompt", "The Time", *options)
    (expected,) = load(prose).generate("The Time", length=40, seed=3, temperature=0.8, top_k=5)
    assert text.removesuffix("\n") == f"The Time{expected.text}".removesuffix("\n")
    assert printed(capsys, prose, "--prompt", "The Time", *options) == text


def test_several_texts_stand_one_below_the_other(prose: str, capsys: Output) -> None:
    text = printed(capsys, prose, "--prompt", "It", "--num", "3", "--length", "20")
    expected = load(prose).generate("It", num=3, length=20)
    whole = ""
    for number, each in enumerate(expected, 1):
        whole += f"--- {number} of 3\nIt{each.text}".removesuffix("\n") + "\n"
    assert text == whole


def test_a_poem_in_a_form_stands_line_by_line(tang: str, capsys: Output) -> None:
    rules = ["--form", "qijue", "--acrostic", "春江花月", "--rhyme", "--tones"]
    *lines, said = printed(capsys, tang, *rules, "--score").splitlines()
    assert [line[0] for line in lines] == list("春江花月")
    assert [len(line) for line in lines] == [8] * 4
    poem = score("".join(lines), None, "春江花月")
    assert said == str(poem)
    assert poem.rhymes
    assert poem.tones_kept == poem.tones_asked


def test_rules_without_a_form_are_of_a_wujue(tang: str, capsys: Output) -> None:
    assert [len(line) for line in printed(capsys, tang, "--rhyme").splitlines()] == [6] * 4


def test_verbose_says_what_the_model_thought(prose: str, capsys: Output) -> None:
    text = printed(capsys, prose, "--prompt", "It", "--length", "5", "--verbose")
    (expected,) = load(prose).generate("It", length=5, with_probabilities=True)
    lines = text.splitlines()[-6:]
    assert lines[-1] == f"ppl {expected.ppl:.4g} over 5 tokens, under the model"
    for line, token, p in zip(lines, expected.tokens, expected.probabilities or (), strict=False):
        assert line == f"{p:8.4f}  {repr(token)[1:-1]}"


def test_json_holds_all_that_is_known(tang: str, capsys: Output) -> None:
    text = printed(capsys, tang, "--form", "wulv", "--num", "2", "--json", "--verbose", "--score")
    poems = json.loads(text)
    assert len(poems) == 2
    for poem in poems:
        assert poem["prompt"] == ""
        assert poem["complete"] is True
        assert len(poem["text"]) == len(poem["tokens"]) == len(poem["probabilities"]) == 48
        assert poem["score"]["form"] == "wulv"
        assert poem["ppl"] > 1


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_a_file_gets_what_the_screen_would(
    extra: list[str], prose: str, tmp_path: Path, capsys: Output
) -> None:
    command = [prose, "--prompt", "It", "--num", "2", "--length", "9", *extra]
    text = printed(capsys, *command)
    assert printed(capsys, *command, "--output", str(tmp_path / "texts")) == ""
    assert (tmp_path / "texts").read_text(encoding="utf-8") == text


def test_beam_and_greedy_and_stop(prose: str, capsys: Output) -> None:
    greedy = printed(capsys, prose, "--prompt", "It", "--length", "9", "--greedy")
    assert printed(capsys, prose, "--prompt", "It", "--length", "9", "--beam", "1") == greedy
    stopped = printed(capsys, prose, "--prompt", "It", "--stop", " ", "--stop", "e")
    assert stopped.rstrip("\n").endswith((" ", "e"))
    verbose = [prose, "--prompt", "It", "--greedy", "--verbose"]
    assert printed(capsys, *verbose, "--state", "normal") != printed(capsys, *verbose)


def test_the_prompt_is_shown_as_it_is_read(tang: str, capsys: Output) -> None:
    lines = printed(capsys, tang, "--form", "wujue", "--prompt", "白日依山春,").splitlines()
    assert lines[0] == "白日依山春，"
    assert [len(line) for line in lines] == [6] * 4
    assert printed(capsys, tang, "--acrostic", "", "--prompt", "春").startswith("春")


def test_an_unknown_character_of_an_acrostic_is_named_on_stderr(tang: str, capsys: Output) -> None:
    assert main(["generate", tang, "--acrostic", "龘"]) == 0
    output = capsys.readouterr()
    assert output.out.startswith("龘")
    assert output.err.startswith("--acrostic: the model has not learned '龘'")


@pytest.mark.parametrize("value", ["abc", "-1e-3"])
def test_what_is_no_number_is_said_in_one_line(value: str, tang: str, capsys: Output) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["generate", tang, "--temperature", value])
    error = capsys.readouterr().err
    assert error.startswith("rnnlm generate: argument --temperature: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("redirection", "status", "message"),
    [
        (">/dev/full", 2, "rnnlm generate: the output cannot be written (No space left on device)"),
        (">&-", 2, "rnnlm generate: there is nowhere to write to"),
        ("", 0, ""),
    ],
)
def test_an_output_that_takes_no_text(
    redirection: str, status: int, message: str, tang: str
) -> None:
    script = "import sys; from rnnlm.cli import main; sys.exit(main())"
    command = f"{sys.executable} -c '{script}' generate {tang} --form wujue {redirection}"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    result = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env=environment, check=False
    )
    assert (result.returncode, result.stderr.rstrip("\n")) == (status, message)
    assert not result.stdout or result.stdout.startswith("\\u")


def test_an_unknown_character_is_named_on_stderr(prose: str, capsys: Output) -> None:
    assert main(["generate", prose, "--prompt", "龘", "--length", "3"]) == 0
    output = capsys.readouterr()
    assert output.out.startswith("龘")
    assert output.err == "--prompt: the model has not learned '龘': that is <unk> to it\n"


@pytest.fixture
def sweep(trained_runs: TrainedRuns, tmp_path: Path) -> Path:
    """Three runs on tang, of which the second is the best and the third the best but failed."""
    for number, bpc in (("1", 9.0), ("2", 8.0), ("3", 7.0)):
        folder = Path(shutil.copytree(trained_runs("tang"), tmp_path / "sweep" / number))
        record = Record.read(folder)
        assert record.validation is not None
        record.seed, record.validation["bpc"] = int(number), bpc
        if number == "3":
            record.status, record.error = "failed", "it broke"
        record.write(folder)
    return tmp_path / "sweep"


def test_the_best_of_a_sweep_writes(
    sweep: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["generate", str(sweep), "--best", "tang", "--greedy"]) == 0
    output = capsys.readouterr()
    assert output.err == f"the best on validation: {sweep / '2'}\n"
    assert main(["generate", str(sweep), "--best", "tang", "--where", "seed=1", "--greedy"]) == 0
    assert str(sweep / "1") in capsys.readouterr().err
    (sweep.parent / "outputs").symlink_to(sweep)
    monkeypatch.chdir(sweep.parent)
    assert main(["generate", "--best", "tang", "--greedy"]) == 0
    assert capsys.readouterr().out == output.out


def refusal(capsys: Output, *arguments: str) -> str:
    assert main(["generate", *arguments]) == 2
    output = capsys.readouterr()
    assert not output.out
    assert output.err.count("\n") == 1
    return output.err.removeprefix("rnnlm generate: ").rstrip("\n")


def test_the_best_must_be_one_of_comparable_runs(sweep: Path, capsys: Output) -> None:
    record = Record.read(sweep / "1")
    record.held_out_sha256, record.source = "other", "full"
    record.write(sweep / "1")
    assert refusal(capsys, str(sweep), "--best", "tang") == (
        f"the runs of tang below {sweep} were measured on different held-out tokens "
        "(sources full, sample); narrow them with --where, or give a run"
    )
    assert refusal(capsys, str(sweep), "--best", "jaychou").startswith("no run has data=jaychou")
    only = ["--where", "status=failed"]
    assert refusal(capsys, str(sweep), "--best", "tang", *only) == (
        f"no run of tang below {sweep} has completed with a network"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give a run's folder, a checkpoint, or --best DATA"),
        (["TANG", "--where", "seed=1"], "--where: it goes with --best DATA"),
        (["nope"], "nope does not exist; give the folder of a run, or a checkpoint"),
        (["PROSE"], "--prompt: this model's texts have no beginning, it needs a text"),
        (["TANG", "--temperature", "-1"], "--temperature: -1.0 is out of range, it takes at least"),
        (["TANG", "--top-k", "0"], "--top-k: 0 is out of range, it takes at least 1"),
        (["TANG", "--greedy", "--top-p", "0.5"], "--top-p: it is for draws, and greedy does not"),
        (
            ["TANG", "--acrostic", "春江花月夜"],
            "--acrostic: 春江花月夜 has 5 characters, wujue has",
        ),
        (["PROSE", "--form", "wujue"], "--form: it is for verse, of data=tang and not time_mac"),
        (["TANG", "--form", "wujue", "--prompt", "a"], "--prompt: 'a', its character 1, may not"),
        (["TANG", "--device", "nope"], "device: 'nope' is not on this machine; cpu is"),
        (["TANG", "--output", "nowhere/x"], "nowhere/x cannot be written (No such file"),
        (["TANG", "--prompt", "\udcff"], "--prompt: it is not text in UTF-8"),
        (["TANG", "--acrostic", "\udcff"], "--acrostic: it is not text in UTF-8"),
        (["TANG", "--stop", "\udcff"], "--stop: it is not text in UTF-8"),
        (["TANG", "--num", "1000000000"], "--num: 1000000000 is out of range, it takes at least"),
        (["TANG", "--form", "wujue", "--stop", "。"], "--stop: a poem in a form ends where"),
        (["PROSE", "--prompt", "It", "--score"], "--score: it is for verse, not for time_machine"),
        (["--best", "", "nowhere"], "no folder nowhere"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: list[str], message: str, tang: str, prose: str, capsys: Output
) -> None:
    given = [{"TANG": tang, "PROSE": prose}.get(argument, argument) for argument in arguments]
    assert refusal(capsys, *given).startswith(message)


def test_an_unfinished_run_and_a_strange_checkpoint_are_refused(
    prose: str, tmp_path: Path, capsys: Output
) -> None:
    run = Path(shutil.copytree(prose, tmp_path / "run"))
    checkpoint = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)
    checkpoint["vocabulary"].append("龘")
    torch.save(checkpoint, run / "checkpoints" / "best.ckpt")
    message = refusal(capsys, str(run), "--prompt", "It")
    assert message.startswith(f"{run}/checkpoints/best.ckpt is of another vocabulary: it names")
    (run / "result.json").unlink()
    message = refusal(capsys, str(run), "--prompt", "It")
    assert message == f"{run} has not finished; the command that began it goes on with it"


def test_text_appears_as_it_is_written_and_a_closed_pipe_is_no_error(prose: str) -> None:
    command = [sys.executable, "-c", "import sys; from rnnlm.cli import main; sys.exit(main())"]
    with subprocess.Popen(
        [*command, "generate", prose, "--prompt", "It", "--length", "1000000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert len(process.stdout.read(200)) == 200  # long before the text is whole
        process.stdout.close()
        assert process.wait(60) == 141
        assert not process.stderr.read()


def test_a_terminal_is_shown_control_characters_and_a_pipe_gets_them(prose: str) -> None:
    script = "import pty, sys; pty.spawn([sys.executable, '-m', 'rnnlm', *sys.argv[1:]])"
    arguments = ["generate", prose, "--prompt", "It\x1b[31m\x9b", "--length", "3"]
    command = [sys.executable, "-c", script, *arguments]
    for form in ([], ["--json"]):
        shown = subprocess.run([*command, *form], capture_output=True, check=True).stdout
        assert b"\x1b" not in shown
        assert "\x9b" not in shown.decode()
        assert b"It\\" in shown
    piped = [sys.executable, "-m", "rnnlm", *arguments]
    assert b"\x1b[31m" in subprocess.run(piped, capture_output=True, check=True).stdout
