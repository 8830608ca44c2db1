"""Where a run is put: `tang/lstm-onehot/seed1`, or with what sets it apart from the defaults.

The path is TensorBoard's name of the run. What the cells of a grid share stands in its first part,
such as `tang,optimizer.lr=0.01`, so that a grid lies in one folder; the text is in it by its hash
unless it is the sample, and where it would be too long to read, a hash stands for it all.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from rnnlm.config import Config, deciding_options, default_options, is_baseline
from rnnlm.results.record import Record, RecordError

LONGEST = 48  # characters
# What stands in another part of the path, or follows from what does.
SAID_ELSEWHERE = ("data.name", "model.name", "features.name", "seed")


def run_folder(config: Config, corpus: str, fingerprint: str) -> Path:
    """The folder of a run, below `output_dir`; it follows from the options and the text.

    Args:
        corpus: the identity of what the tokens are made of.
        fingerprint: of the run. Where a run of another has the folder, which only another version
            can have left there, the folder's name is completed by it.
    """
    parts = [_setting(config, corpus)]
    if is_baseline(config):
        parts.append(config.model.name)
    else:
        parts += [f"{config.model.name}-{config.features.name}", f"seed{config.seed}"]
    folder = Path(config.output_dir, *parts)
    if _is_of_another(folder, fingerprint):
        return folder.with_name(f"{folder.name}-{fingerprint[:8]}")
    return folder


def _setting(config: Config, corpus: str) -> str:
    """The corpus, and what differs from the defaults that the cells of a grid share."""
    usual = default_options(config)
    differing = {
        name: value
        for name, value in deciding_options(config).items()
        if value != usual[name] and name not in SAID_ELSEWHERE
    }
    if config.model.num_parameters is not None and not is_baseline(config):
        differing.pop("model.hidden_size", None)
        if config.model.tie_weights:
            differing.pop("features.embedding_size", None)
    if config.data.source != "sample":
        differing = {"text": corpus[:8], **differing}
    said = ",".join(f"{name}={value}" for name, value in differing.items())
    if not said:
        return config.data.name
    if len(said) > LONGEST or not re.fullmatch(r"[\w.,=+-]+", said, re.ASCII):
        said = hashlib.sha256(said.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{config.data.name},{said}"


def _is_of_another(folder: Path, fingerprint: str) -> bool:
    try:
        return Record.read(folder).fingerprint != fingerprint
    except (OSError, RecordError):
        return False
