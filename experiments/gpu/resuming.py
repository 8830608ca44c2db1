"""Kill a run with SIGKILL, give the same command again, and compare with a run left alone.

python -m experiments.gpu.resuming [--cpu]
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from experiments.gpu.rows import arguments, name_device, row
from experiments.gpu.texts import LETTERS, text_of
from rnnlm.data.texts.splitting import SPLITS
from rnnlm.files.run_files import LOG, RECORD
from rnnlm.results.record import Record

ROOT = Path(__file__).parents[2]
RUN = ["model=lstm", "features=embed", "data.seq_len=35", "trainer.max_epochs=1000000"]
RUN += ["data=time_machine", "data.normalize=letters"]
# Characters of the text, steps of the run, and steps between two checkpoints; in miniature, too.
CHARACTERS, FEW_CHARACTERS = 700_000, 20_000
FULL = ["model.hidden_size=256", "trainer.max_steps=4000", "checkpoint.every_n_train_steps=500"]
SMALL = ["model.hidden_size=16", "trainer.max_steps=100", "checkpoint.every_n_train_steps=20"]
# In nats per token.
MOST_APART = 1e-3
SECONDS_UNTIL_CHECKPOINT = 60.0


@contextlib.contextmanager
def started(options: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start the run in a session of its own; the context ends with SIGKILL for all that is left."""
    command = [sys.executable, str(ROOT / "run.py"), *options, f"output_dir={folder}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def status_of(options: list[str], folder: Path) -> int:
    """Carry out the run, and return its exit status."""
    with started(options, folder) as process:
        return process.wait()


def kill_after_checkpoint(options: list[str], folder: Path) -> bool:
    """Start the run, kill it soon after its first checkpoint; tell whether it still trained."""
    with started(options, folder) as process:
        deadline = time.monotonic() + SECONDS_UNTIL_CHECKPOINT
        while process.poll() is None and time.monotonic() < deadline:
            if list(folder.rglob("last.ckpt")):
                break
            time.sleep(0.02)
        time.sleep(0.1)
        return process.poll() is None and not list(folder.rglob(RECORD))


def record_of(folder: Path) -> Record:
    """Return the record of the one run below a folder."""
    (path,) = folder.rglob(RECORD)
    return Record.read(path.parent)


def losses(record: Record) -> list[float]:
    """Return the losses of the splits, or NaN for a run that has failed."""
    return [float((getattr(record, split) or {}).get("loss", float("nan"))) for split in SPLITS]


def main() -> None:
    """Run one alone, kill another, and print what came of it."""
    _, device = arguments(__doc__)
    name_device(device)
    # A part that is stopped ends what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    on_cpu = device.type == "cpu"
    with tempfile.TemporaryDirectory() as temporary:
        text = Path(temporary, "text.txt")
        text.write_text(text_of(LETTERS, FEW_CHARACTERS if on_cpu else CHARACTERS), "utf-8")
        options = [*RUN, *(SMALL if on_cpu else FULL), f"data.source={text}"]
        options += [f"trainer.accelerator={'cpu' if on_cpu else 'gpu'}"]
        left_alone, killed = Path(temporary, "left_alone"), Path(temporary, "killed")
        statuses = [status_of(options, left_alone)]
        was_killed = kill_after_checkpoint(options, killed)
        statuses.append(status_of(options, killed))
        (log,) = killed.rglob(LOG)
        went_on = re.search(r"going on from step (\d+)", log.read_text(encoding="utf-8"))
        ours, expected = record_of(killed), record_of(left_alone)
        apart = max(abs(x - y) for x, y in zip(losses(ours), losses(expected), strict=True))
        row(
            "resuming",
            killed="while it trained" if was_killed else "too late",
            went_on=f"from step {went_on[1]}" if went_on else "no",
            status=ours.status,
            losses_apart=f"{apart:.1e}",
            alike="to the last bit" if ours.history == expected.history else "not to the last bit",
            holds=was_killed and went_on is not None and statuses == [0, 0] and apart <= MOST_APART,
        )


if __name__ == "__main__":
    main()
