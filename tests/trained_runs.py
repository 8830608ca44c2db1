"""Small runs that have been trained, for the tests of what is done with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import TINY, composed, trained

# What a test needs by name, and the options of its run.
RUNS = {
    # More steps than the others: its model writes marks of verse.
    "tang": ["data=tang", "model=gru", "data.batch_size=8"],
    "prose": ["data=time_machine", "model=lstm"],
    "words": ["data=time_machine", "data.level=word", "model=rnn"],
    "lyrics": ["data=jaychou", "data.batching=documents", "model=gru", "features=onehot"],
    "novels": ["data=jinyong", "model=lstm"],
    "sums": ["data=addition", "data.num_sums=400", "model=rnn"],
}


class TrainedRuns:
    """Trains each run when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, name: str) -> Path:
        """The folder of a run that has completed."""
        folder = self.folder / name
        if not folder.exists():
            trained(composed(*TINY, f"output_dir={self.folder}", *RUNS[name]), folder)
        return folder


@pytest.fixture(scope="session")
def trained_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrainedRuns]:
    """Shared by all tests, which leave the runs as they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RNNLM_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield TrainedRuns(tmp_path_factory.mktemp("runs"))
