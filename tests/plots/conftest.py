"""A sweep that is made once, and that no test changes."""

from __future__ import annotations

import pytest

from tests.plots.sweep import Runs, sweep


@pytest.fixture(scope="session")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Six cells with three seeds each, and four baselines."""
    return sweep(tmp_path_factory.mktemp("sweep"))
