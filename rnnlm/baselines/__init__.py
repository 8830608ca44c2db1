"""Baselines: models without training steps, which a network has to beat."""

from __future__ import annotations

from rnnlm.baselines.baseline import Baseline
from rnnlm.baselines.compressor import Bz2, Xz
from rnnlm.baselines.kneser_ney import KneserNey
from rnnlm.baselines.unigram import Unigram


def baselines() -> dict[str, type[Baseline]]:
    """Return every baseline by its name in `conf/model/`."""
    return {kind.name: kind for kind in (Unigram, KneserNey, Xz, Bz2)}
