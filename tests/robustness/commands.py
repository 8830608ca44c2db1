"""Run `python run.py` many times: each is forked from a process that has done the imports."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from rnnlm.sweep.launchers import process_server
from tests.conftest import NAMES, PLACES, ROOT
from tests.support.runs import interrupt_at

# The two moments of a write at which the process can be killed, and one of training.
HALF_WRITTEN, IN_PLACE, AT_STEP = "half written", "in place", "at step"


@dataclass(frozen=True)
class Kill:
    """The moment of a kill: in the command's `number`-th file or training step, from 1."""

    number: int
    when: str


def start(arguments: Sequence[str], folder: Path, kill: Kill | None = None) -> BaseProcess:
    """Start the command in a folder; its output goes to the file `output` there."""
    process_server.start()
    folder.mkdir(parents=True, exist_ok=True)
    environment = {n: v for n, v in os.environ.items() if n.startswith(("RNNLM_", "TMPDIR"))}
    process = process_server.start_method_context().Process(  # type: ignore[attr-defined]
        target=_command, args=(list(arguments), folder, environment, kill)
    )
    process.start()
    assert isinstance(process, BaseProcess)
    return process


def run(arguments: Sequence[str], folder: Path, kill: Kill | None = None) -> tuple[int, str]:
    """Return the command's exit status (negative if a signal ended it) and its output."""
    process = start(arguments, folder, kill)
    process.join()
    assert process.exitcode is not None
    return process.exitcode, (folder / "output").read_text(encoding="utf-8")


def leftovers(*folders: Path) -> Iterator[Path]:
    """Yield every hidden file that does not belong to a run."""
    for folder in folders:
        for path in folder.rglob(".*"):
            if path.name not in (".hydra", ".lock"):
                yield path


def tiny(folder: Path, *options: str) -> list[str]:
    """Return the arguments of a run that takes a second."""
    text = folder / "text.txt"
    sentences = [f"{name} went down to the {place}.\n" for name in NAMES for place in PLACES]
    text.write_text("".join(sentences * 6))
    return [
        *(f"data.source={text}", "data.batch_size=8", "data.seq_len=32", "model=rnn"),
        *("model.hidden_size=8", "model.dropout=0.2", "features.embedding_size=8"),
        *("samples.every_n_epochs=1", "samples.length=5", "trainer.enable_progress_bar=false"),
        *options,
    ]


def _command(
    arguments: list[str], folder: Path, environment: dict[str, str], kill: Kill | None
) -> None:
    import torch

    from rnnlm.sweep.command_line import main
    from rnnlm.sweep.worker import run_one

    os.environ.update(environment)
    os.chdir(folder)
    output = os.open("output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    os.dup2(output, 1)
    os.dup2(output, 2)
    torch.set_num_threads(1)
    if kill is not None and kill.when == AT_STEP:
        interrupt_at(pytest.MonkeyPatch(), kill.number, signal.SIGKILL)
    elif kill is not None:
        _kill_at(kill)
    # The runs are carried out in this process.
    sys.argv = ["run.py", "hydra/launcher=basic", *arguments]
    sys.exit(main(run_one, ROOT / "conf", "config"))


def _kill_at(kill: Kill) -> None:
    """Have this process killed when it puts its `number`-th temporary file in place."""
    original, number = Path.replace, 0

    def replace(path: Path, target: Any) -> Path:
        nonlocal number
        # progress.json is not counted: it is written every fraction of a second, at no fixed step.
        number += Path(target).name != "progress.json"
        if number == kill.number and kill.when == HALF_WRITTEN:
            os.truncate(path, path.stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)
        replaced = original(path, target)
        if number == kill.number:
            os.kill(os.getpid(), signal.SIGKILL)
        return replaced

    Path.replace = replace  # type: ignore[assignment,method-assign]
