"""The path of a run's folder, such as `tang/lstm-onehot/seed1`.

The path is also TensorBoard's name of the run. Its first part names the corpus and the options that
differ from the defaults, such as `tang,optimizer.lr=0.01`. The runs of a grid share it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnnlm.config import Config
from rnnlm.results.record import Record, RecordError

LONGEST = 48  # characters
# Options that the other parts of the path state, or that follow from those.
SAID_ELSEWHERE = ("data.name", "model.name", "features.name", "seed")


def setting_name(
    config: Config, options: Mapping[str, Any], defaults: Mapping[str, Any], corpus: str
) -> str:
    """The first part of the path. A hash replaces it where it is too long or no plain name.

    Args:
        options: the options that decide the result, by dotted name.
        defaults: the same options when only the choices of the groups are given.
        corpus: the identity of the corpus; it is stated unless the text is the sample.
    """
    differing = {
        name: value
        for name, value in options.items()
        if value != defaults[name] and name not in SAID_ELSEWHERE
    }
    if config.model.num_parameters is not None:
        # The budget decides these, for each cell of a grid alone.
        differing.pop("model.hidden_size", None)
        if config.model.tie_weights:
            differing.pop("features.embedding_size", None)
    if config.data.source != "sample":
        differing = {"text": corpus[:8], **differing}
    name = ",".join(f"{option}={value}" for option, value in differing.items())
    if not name:
        return config.data.name
    if len(name) > LONGEST or not re.fullmatch(r"[\w.,=+-]+", name, re.ASCII):
        name = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{config.data.name},{name}"


def free_folder(folder: Path, fingerprint: str) -> Path:
    """Return the folder, or one with the fingerprint in its name if another run's record is there.

    Only another version of this project can have left such a record.
    """
    try:
        is_free = Record.read(folder).fingerprint == fingerprint
    except (OSError, RecordError):
        is_free = True
    return folder if is_free else folder.with_name(f"{folder.name}-{fingerprint[:8]}")
