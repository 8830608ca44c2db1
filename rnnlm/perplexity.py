"""Perplexity from a loss, without PyTorch: tables are made of records alone."""

from __future__ import annotations

import math


def perplexity(loss: float) -> float:
    """Exp of a loss in nats per token; infinite where it exceeds the largest float."""
    return math.inf if loss > 709 else math.exp(loss)
