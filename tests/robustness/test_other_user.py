"""Files, folders and links of another user, in each place that a run shares, change no metric.

The tests run as root without the right to override permissions, which is like an ordinary user.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rnnlm.data.texts.splitting import SPLITS
from rnnlm.results.record import find_records
from tests.conftest import ROOT, TINY

OTHER = 65534
HOST = socket.gethostname()
WITHOUT_OVERRIDE = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner,-chown"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.name != "posix" or os.geteuid() != 0, reason="only root can make another user's files"
    ),
    pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed"),
]


class Places:
    """The places that a run shares with other users, all below one folder."""

    def __init__(self, folder: Path, run: Path | None = None) -> None:
        self.home, self.cache, self.temporary, self.work = (
            folder / name for name in ("home", "cache", "tmp", "work")
        )
        for path in (self.home, self.cache, self.temporary, self.work):
            path.mkdir()
        self.temporary.chmod(0o1777)
        self.victim = folder / "victim"
        self.victim.mkdir()
        (self.victim / "precious").write_text("precious")
        self.leases = self.home / ".cache" / "rnnlm" / "leases" / HOST
        # The folder of the run, if it is known already.
        self.run = self.work / (run or "")

    def environment(self) -> dict[str, str]:
        environment = {name: v for name, v in os.environ.items() if name != "XDG_CACHE_HOME"}
        environment.pop("OMP_NUM_THREADS", None)
        return environment | {
            "HOME": str(self.home),
            "RNNLM_CACHE_DIR": str(self.cache),
            "TMPDIR": str(self.temporary),
            # Matplotlib warns about a home that it cannot write to.
            "MPLCONFIGDIR": str(self.temporary),
        }


def others(path: Path, mode: int, is_folder: bool = False) -> None:
    """Make a file or a folder that belongs to another user."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if is_folder:
        path.mkdir(exist_ok=True)
    else:
        path.touch()
    os.chown(path, OTHER, OTHER)
    path.chmod(mode)


def folders(places: Places) -> None:
    others(places.leases, 0o755, is_folder=True)
    others(places.cache, 0o755, is_folder=True)
    others(places.temporary / f"rnnlm-leases-{os.getuid()}", 0o755, is_folder=True)


def files(places: Places) -> None:
    for core in os.sched_getaffinity(0):
        others(places.leases / f"core-{core}.lock", 0o600)
    places.leases.chmod(0o700)
    others(places.run / ".lock", 0o600)
    others(places.cache / "tokens", 0o644)


def links(places: Places) -> None:
    places.leases.parent.mkdir(parents=True)
    places.leases.symlink_to(places.victim)
    places.run.mkdir(parents=True)
    (places.run / ".lock").symlink_to(places.victim / "precious")


def another_users_home(places: Places) -> None:
    others(places.home, 0o755, is_folder=True)


def trained(places: Places) -> tuple[Path, dict[str, Any]]:
    """Train a tiny run to its end; return its folder and its metrics."""
    done = subprocess.run(
        [*WITHOUT_OVERRIDE, sys.executable, str(ROOT / "run.py"), *TINY],
        cwd=places.work,
        env=places.environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    ((folder, record),) = find_records([places.work])[0]
    metrics = {split: getattr(record, split) for split in SPLITS} | {"sample": record.sample}
    return folder.relative_to(places.work), metrics


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    places = Places(tmp_path_factory.mktemp("undisturbed"))
    run = trained(places)
    assert places.leases.stat().st_mode & 0o777 == 0o700
    assert list(places.leases.glob("core-*.lock"))
    return run


@pytest.mark.parametrize(
    ("disturb", "said"),
    [
        (folders, [f"leases/{HOST} belongs to another user", "with one thread"]),
        (files, ["cannot be had: Permission denied", ".lock cannot be locked (Permission den"]),
        (links, [f"leases/{HOST} is no folder", ".lock was no file and has been"]),
        (another_users_home, ["home belongs to another user", "with one thread"]),
    ],
)
def test_what_another_user_has_put_there_changes_nothing(
    disturb: Callable[[Places], None],
    said: list[str],
    tmp_path: Path,
    undisturbed: tuple[Path, dict[str, Any]],
) -> None:
    places = Places(tmp_path, undisturbed[0])
    disturb(places)
    assert trained(places) == undisturbed
    assert [path.name for path in places.victim.iterdir()] == ["precious"]
    assert (places.victim / "precious").read_text() == "precious"
    log = (places.run / "run.log").read_text()
    assert [line for line in said if line not in log] == []
    assert "Traceback" not in log
