"""The versions, the git revision and the time that a record states."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path


def versions() -> dict[str, str]:
    """The versions of the packages that metrics depend on."""
    packages = {"rnnlm": "rnnlm", "torch": "torch", "lightning": "pytorch-lightning"}
    return {name: version(package) for name, package in packages.items()}


def git_revision() -> str | None:
    """The revision of the checkout that this package is imported from; None without a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def now() -> str:
    """The present time in UTC, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
