"""Check on a GPU that networks are right and fast, and write what came of it on this page.

    python experiments/gpu/run.py                        # all parts, at most ten minutes
    python experiments/gpu/run.py --only agreement speed
    python experiments/gpu/run.py --write-page           # measure nothing

Each part is a process with a time limit of its own. Its rows are added to results.json as they
come, so a part that fails or takes too long leaves those that it has printed. The page, README.md,
is written from that file. `--cpu` does everything in miniature on the CPU, to try it out.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path
from typing import Any

from page import write_page
from parts import PARTS, Part

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RESULTS = "results.json"
COMPLETED, OUT_OF_TIME = "completed", "stopped at its time limit"
# A part that is to stop has so long to end what it has started.
SECONDS_TO_STOP = 5.0
# A part may take so many times its limit on a CPU, where processes start slowly.
CPU_IS_SLOWER = 4


class Results:
    """The file that holds, by part, when and on what it was measured, and its rows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.parts: dict[str, dict[str, Any]] = {}
        if path.exists():
            self.parts = json.loads(path.read_text(encoding="utf-8"))

    def begin(self, part: Part, on_cpu: bool) -> dict[str, Any]:
        """Forget what was known of a part, and return what is to be filled."""
        command = " ".join(["python", *part.command(on_cpu)])
        found = {"date": str(date.today()), "command": command, "status": "begun", "rows": []}
        self.parts[part.name] = found
        return found

    def save(self) -> None:
        """Write the file as a whole."""
        temporary = self._path.with_suffix(".partial")
        temporary.write_text(json.dumps(self.parts, indent=1, ensure_ascii=False) + "\n", "utf-8")
        temporary.replace(self._path)


def stop(process: subprocess.Popen[str]) -> None:
    """End a part and all that it has started."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)


def carry_out(part: Part, seconds: float, on_cpu: bool, results: Results) -> None:
    """Run a part, and keep each row as soon as it is printed."""
    found = results.begin(part, on_cpu)
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *part.command(on_cpu)],
        cwd=ROOT,
        # The parts find both packages whether they are installed or not.
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]])},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    is_late = threading.Event()

    def stop_late() -> None:
        is_late.set()
        stop(process)

    timer = threading.Timer(seconds, stop_late)
    timer.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            keep(line, found, part)
            results.save()
        status = process.wait()
    finally:
        timer.cancel()
        if process.poll() is None:
            stop(process)
    found["seconds"] = round(time.monotonic() - started, 1)
    if is_late.is_set():
        found["status"] = f"{OUT_OF_TIME}, {seconds:.0f} s"
    else:
        found["status"] = COMPLETED if status == 0 else f"failed, exit status {status}"
    results.save()
    print(f"# {part.name}: {found['status']}, {found['seconds']} s", flush=True)


def keep(line: str, found: dict[str, Any], part: Part) -> None:
    """Add what a part has printed to what is known of it; what is no JSON is not for the page."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError:
        return
    if "device" in row:
        found |= row
    else:
        found["rows"].append(part.judged({"table": part.name, **row}))


def main() -> int:
    """Carry out the parts that are asked for, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [part.name for part in PARTS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="PART")
    parser.add_argument("--minutes", type=float, default=10.0, help="for all parts together")
    parser.add_argument("--write-page", action="store_true", help="measure nothing")
    parser.add_argument("--folder", type=Path, default=HERE, help=f"of {RESULTS} and README.md")
    parser.add_argument("--cpu", action="store_true", help="in miniature, on the CPU")
    arguments = parser.parse_args()
    results = Results(arguments.folder / RESULTS)
    ends = time.monotonic() + 60 * arguments.minutes
    failed = False
    for part in [] if arguments.write_page else PARTS:
        if part.name not in arguments.only:
            continue
        if (left := ends - time.monotonic()) < 1:
            print(f"# {part.name}: not run, the time is over", flush=True)
            failed = True
            continue
        seconds = part.seconds * (CPU_IS_SLOWER if arguments.cpu else 1)
        carry_out(part, min(seconds, left), arguments.cpu, results)
        write_page(arguments.folder / "README.md", results.parts)
        failed |= results.parts[part.name]["status"] != COMPLETED
    write_page(arguments.folder / "README.md", results.parts)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
