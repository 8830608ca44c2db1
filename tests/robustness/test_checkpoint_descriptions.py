"""`rnnlm generate` and `evaluate` refuse checkpoints whose description is wrong."""

from __future__ import annotations

import copy
import io
import math
import pickle
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rnnlm.cli import main
from rnnlm.files.run_files import best_checkpoint
from tests.trained_runs import TrainedRuns

Checkpoint = dict[str, Any]
Change = Callable[[Checkpoint], None]


def option(group: str, **values: Any) -> Change:
    return lambda checkpoint: checkpoint["options"][group].update(values)


def without(key: str, *inner: str) -> Change:
    def change(checkpoint: Checkpoint) -> None:
        place = checkpoint
        for name in (key, *inner)[:-1]:
            place = place[name]
        del place[(key, *inner)[-1]]

    return change


def having(**values: Any) -> Change:
    return lambda checkpoint: checkpoint.update(values)


def weights(change: Callable[[torch.Tensor], Any], name: str = "") -> Change:
    """Change every weight whose name ends with `name`."""

    def changed(checkpoint: Checkpoint) -> None:
        state = checkpoint["state_dict"]
        for key in state:
            if key.endswith(name):
                state[key] = change(state[key])

    return changed


def vocabulary(change: Callable[[list[str]], Any]) -> Change:
    return lambda checkpoint: checkpoint.update(vocabulary=change(checkpoint["vocabulary"]))


def spelling(**costs: Any) -> Change:
    return lambda checkpoint: checkpoint["spelling"].update(costs)


def with_nan(weight: torch.Tensor) -> torch.Tensor:
    weight = weight.clone()
    weight.view(-1)[0] = math.nan
    return weight


NO_VOCABULARIES: list[Any] = [None, [], "abc", {"a": 1}, ["<unk>"], [1, 2]]
NO_OPTIONS: list[Any] = [None, [], {}, {"data": 1}, {"data": {}}, "x"]
NO_COSTS: list[Any] = [None, [], {}, {"a": "b"}, {1: 1.0}, "x"]
NO_WEIGHTS: list[Any] = [[], {}, {"network.output.bias": 1}, {1: 2}, None]
CHANGES: list[Change] = [
    *(
        option("model", hidden_size=size)
        for size in (0, -1, 17, 10**5, 10**12, 10**30, "big", 16.5)
    ),
    *(option("model", num_layers=number) for number in (0, 2, 10**5, 10**9, 10**18, None)),
    *(option("model", name=name) for name in ("unigram", "kneser_ney", "gru", "x" * 10**5, 3)),
    *(option("model", dropout=value) for value in (-1, 2, math.nan, "much", True)),
    *(option("model", tie_weights=value) for value in (True, "yes")),
    option("model", **{"\x1b[31m": 1}),
    *(option("features", embedding_size=size) for size in (0, 10**12, 10**19, 3, "wide", None)),
    *(option("features", name=name) for name in ("onehot", "wide", None, ["embed"])),
    *(option("data", batching=value) for value in ("documents", "rows", 1)),
    *(option("data", name=name) for name in ("tang", "addition", "nope", "../prose")),
    *(option("data", seq_len=value) for value in ("${oc.env:HOME}", 0)),
    *(having(options=value) for value in NO_OPTIONS),
    *(without("options", group) for group in ("data", "model", "features")),
    *(without("options", group, "name") for group in ("data", "model", "features")),
    *(without(key) for key in ("vocabulary", "spelling", "options", "fingerprint", "state_dict")),
    *(having(vocabulary=value) for value in NO_VOCABULARIES),
    vocabulary(lambda tokens: tokens[:-1]),
    vocabulary(lambda tokens: tokens * 2),
    vocabulary(lambda tokens: [*tokens[:-1], tokens[-2]]),
    vocabulary(lambda tokens: [*tokens[:-1], "\udcff"]),
    vocabulary(lambda tokens: [*tokens[:-1], 7]),
    vocabulary(lambda tokens: [*tokens[:-1], None]),
    vocabulary(lambda tokens: tokens[::-1]),
    vocabulary(lambda tokens: [*tokens, *map(str, range(10**5))]),
    vocabulary(lambda tokens: ["<unk>", "<bos>", "<eos>", *tokens[3:]]),
    *(having(spelling=value) for value in NO_COSTS),
    without("spelling", "escape"),
    *(spelling(escape=value) for value in (-1.0, math.nan, math.inf, "dear", None)),
    *(having(state_dict=value) for value in NO_WEIGHTS),
    weights(lambda weight: weight.tolist()),
    weights(lambda weight: None, "output.bias"),
    weights(lambda weight: weight.long()),
    weights(lambda weight: weight.to(torch.float8_e4m3fn)),
    weights(lambda weight: weight.to(torch.complex64)),
    weights(lambda weight: weight.double(), "output.weight"),
    weights(lambda weight: weight.unsqueeze(0)),
    weights(lambda weight: weight[:0], "output.bias"),
    weights(lambda weight: weight[0], "output.bias"),
    weights(lambda weight: weight.to_sparse(), "output.weight"),
    weights(lambda weight: weight.to("meta")),
    weights(lambda weight: torch.zeros(1).expand(10**9), "output.bias"),
    weights(with_nan, "output.weight"),
    weights(with_nan, "weight_hh"),
    weights(lambda weight: weight * math.inf, "output.bias"),
]


def check_refusal(path: Path, text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Check that both commands refuse the checkpoint in one line, and soon."""
    for command in (
        ["generate", str(path), "--prompt", "It", "--length", "3"],
        ["evaluate", str(path), str(text)],
    ):
        started = time.monotonic()
        assert main(command) == 2
        output = capsys.readouterr()
        assert not output.out
        assert output.err.startswith(f"rnnlm {command[0]}: {path} ")
        assert output.err.count("\n") == 1
        assert len(output.err) < 1_000
        assert time.monotonic() - started < 60  # more would be a hang, on any machine


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("It was dark, and the machine stood still.\n" * 20)
    return path


@pytest.mark.slow
def test_what_does_not_go_with_its_weights_is_refused_in_one_line(
    trained_runs: TrainedRuns, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = torch.load(best_checkpoint(trained_runs("prose")), weights_only=True)
    assert len(CHANGES) >= 60
    path = text.with_name("x.ckpt")
    for change in CHANGES:
        changed = copy.deepcopy(dict(content))
        change(changed)
        torch.save(changed, path)
        check_refusal(path, text, capsys)


class RunsCode:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("code-has-run"),)


def test_no_code_of_a_file_is_run_and_other_formats_are_refused(
    text: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(text.parent)
    path = text.with_name("x.ckpt")
    pickled = pickle.dumps({"state_dict": RunsCode()})
    for content in (b"", b"\x80", b"\x80\x04" + bytes(99), pickled, pickle.dumps({}, protocol=2)):
        path.write_bytes(content)
        check_refusal(path, text, capsys)
    torch.save({"state_dict": {"x": RunsCode()}}, path)
    check_refusal(path, text, capsys)
    torch.save({"state_dict": {}}, path, _use_new_zipfile_serialization=False)
    check_refusal(path, text, capsys)
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo("pickle")
        entry.size = len(pickled)
        archive.addfile(entry, io.BytesIO(pickled))
    check_refusal(path, text, capsys)
    assert not Path("code-has-run").exists()
