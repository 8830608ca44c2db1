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

LONGEST_SETTING_NAME = 48  # characters
# Options that the other parts of the path state, or that follow from those.
IN_OTHER_PARTS_OF_PATH = ("data.name", "model.name", "features.name", "seed")


def setting_name(
    config: Config, options: Mapping[str, Any], defaults: Mapping[str, Any], corpus: str
) -> str:
    """Return the first part of the path, such as `tang,optimizer.lr=0.01`.

    A hash replaces the options if they are longer than 48 characters, or hold others than ASCII
    letters, digits and `_.,=+-`.

    Args:
        options: the options that decide the result, by dotted name.
        defaults: the same options when only the choices of the groups are given.
        corpus: the identity of the corpus; it is stated unless the text is the sample.
    """
    differing = {
        name: value
        for name, value in options.items()
        if value != defaults[name] and name not in IN_OTHER_PARTS_OF_PATH
    }
    if config.model.num_parameters is not None:
        # `model.num_parameters` sets these sizes for each run; the runs of a grid share the name.
        differing.pop("model.hidden_size", None)
        if config.model.tie_weights:
            differing.pop("features.embedding_size", None)
    if config.data.source != "sample":
        differing = {"text": corpus[:8], **differing}
    name = ",".join(f"{option}={value}" for option, value in differing.items())
    if not name:
        return config.data.name
    if len(name) > LONGEST_SETTING_NAME or not re.fullmatch(r"[\w.,=+-]+", name, re.ASCII):
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
