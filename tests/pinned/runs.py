"""The pinned runs: the commands that make them, and the texts that are compared."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from rnnlm.cli import main as rnnlm
from rnnlm.results.record import COMPLETED, find_records
from tests.conftest import ROOT, composed, trained
from tests.support.runs import interrupt_at

TINY = [
    "model.hidden_size=8",
    "data.batch_size=8",
    "data.seq_len=16",
    "data.max_chars=8000",
    "trainer.max_epochs=2",
    "samples.every_n_epochs=1",
    "samples.length=20",
]
# Every cell with both kinds of features and two seeds, and a baseline; one of these runs with
# adaptation; and the two other ways to make batches.
COMMANDS = [
    ["-m", "model=rnn,lstm,gru,kneser_ney", "features=embed,onehot", "seed=1,2"],
    ["model=lstm", "adaptation.cache=20", "adaptation.dynamic=true", "adaptation.kneser_ney=true"],
    ["-m", "model=gru", "data.batching=documents,windows"],
]
# One more run. It is interrupted at this step and then continued.
INTERRUPTED, AT_STEP = ["model=gru", "optimizer.averaging=ema", "seed=3"], 30

FORMATS = ("table", "csv", "json", "markdown", "latex", "html")
# Each view of `rnnlm results`: its flags, and the formats in which it is compared.
VIEWS = {
    "runs": ([], FORMATS),
    "seeds": (["--seeds"], FORMATS),
    "grid": (["--grid"], FORMATS),
    "compare": (["--compare"], FORMATS[:2]),
}

# Costs differ each time. A fixed value replaces them.
COSTS = {"train_seconds": 1.0, "tokens_per_second": 1000.0, "peak_memory_mb": 100.0}
# These fields differ too, or are hashes of files that hold such fields.
LEFT_OUT = ("versions", "git_revision", "started_at", "finished_at", "sha256", "scalars_sha256")


def make(folder: Path) -> None:
    """Make all runs, below the folder."""
    options = [*TINY, f"output_dir={folder}", "trainer.enable_progress_bar=false"]
    for command in COMMANDS:
        subprocess.run(
            [sys.executable, str(ROOT / "run.py"), *command, *options],
            check=True,
            capture_output=True,
        )
    config = composed(*TINY, f"output_dir={folder}", *INTERRUPTED)
    own_folder = folder / "interrupted"
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.MonkeyPatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
            interrupt_at(patch, AT_STEP, signal.SIGINT)
            trained(config, own_folder)
    finally:
        signal.signal(signal.SIGINT, inherited)
    assert not (own_folder / "result.json").exists()
    trained(config, own_folder)


def described(folder: Path, capture: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Return the texts to compare of the runs in the folder, by the name of the expected file."""
    found = find_records([folder])[0]
    assert all(record.status == COMPLETED for _, record in found)
    names = [path.relative_to(folder).as_posix() for path, _ in found]
    records = {name: _record(folder / name) for name in names}
    scalars = {name: _scalars(folder / name) for name in names}
    texts = {
        "records.json": json.dumps(records, indent=1, ensure_ascii=False) + "\n",
        "scalars.txt": "\n".join(f"{name}\n{text}" for name, text in scalars.items() if text),
    }
    with _as_written(folder, records):
        for view, (flags, formats) in VIEWS.items():
            parts = []
            for form in formats:
                assert rnnlm(["results", str(folder), *flags, "--format", form]) == 0
                parts.append(f"{form}:\n{capture.readouterr().out}")
            texts[f"{view}.txt"] = "\n".join(parts).replace(str(folder), "FOLDER")
    return texts


def machine() -> str:
    """Return the kind of processor and the version of PyTorch, which decide the last digits."""
    model = platform.processor()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.partition(": ")[2] for line in lines if "model name" in line), model)
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{model}, {capability}, torch {torch.__version__.partition('+')[0]}\n"


def _record(run: Path) -> dict[str, Any]:
    record = json.loads((run / "result.json").read_text(encoding="utf-8"))
    for name in LEFT_OUT:
        record.pop(name, None)
    for name, value in COSTS.items():
        if record[name] is not None:
            record[name] = value
    record["overrides"] = [o for o in record["overrides"] if not o.startswith("output_dir=")]
    assert isinstance(record, dict)
    return record


def _scalars(run: Path) -> str:
    path = run / "scalars.csv"
    if not path.exists():
        return ""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        columns = [name for name in reader.fieldnames or [] if not name.startswith("cost/")]
        written = io.StringIO()
        writer = csv.DictWriter(written, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(reader)
    return written.getvalue()


@contextlib.contextmanager
def _as_written(folder: Path, records: dict[str, dict[str, Any]]) -> Iterator[None]:
    """Have the folder hold the records as they are compared, while tables are made of them."""
    before = {name: (folder / name / "result.json").read_bytes() for name in records}
    width = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "200"
    try:
        for name, record in records.items():
            text = json.dumps(record, ensure_ascii=False)
            (folder / name / "result.json").write_text(text, encoding="utf-8")
        yield
    finally:
        for name, content in before.items():
            (folder / name / "result.json").write_bytes(content)
        if width is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = width
