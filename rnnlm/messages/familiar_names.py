"""Names that other projects give to options of this one, from `familiar_names.json`."""

from __future__ import annotations

import json
from importlib import resources

_FILE = resources.files(__package__) / "familiar_names.json"
# Options as they are typed here, each with its names elsewhere.
FAMILIAR_NAMES: dict[str, str] = json.loads(_FILE.read_text(encoding="utf-8"))


def meant_by(name: str) -> str | None:
    """Return the option that a name from another project most likely means."""
    last = name.rpartition(".")[2].lower().replace("-", "_")
    return next((ours for ours, theirs in FAMILIAR_NAMES.items() if last in theirs.split()), None)
