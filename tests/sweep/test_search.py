"""rnnlm/sweep/search.py: a real search by Optuna."""

from __future__ import annotations

import re
from pathlib import Path

from rnnlm.results.record import COMPLETED, find_records
from tests.conftest import TINY, Run

SEARCH = ["-m", "hydra/sweeper=optuna", "optimizer.lr=interval(1e-4,1e-2)", "model=rnn,gru"]
SEARCH += ["hydra.sweeper.n_trials=4", "hydra.sweeper.sampler.seed=1", *TINY]


def test_a_search_runs_its_trials_and_ends_in_their_table(run_py: Run, tmp_path: Path) -> None:
    first = run_py(*SEARCH, "trainer.max_steps=40")
    assert first.returncode == 0, first.stderr
    records = [record for _, record in find_records([tmp_path])[0]]
    assert [record.status for record in records] == [COMPLETED] * 4
    rates = {o for record in records for o in record.overrides if o.startswith("optimizer.lr=")}
    assert len(rates) == 4
    losses = [record.validation["loss"] for record in records if record.validation]
    best = (tmp_path / "outputs" / "optimization_results.yaml").read_text()
    (value,) = re.findall(r"best_value: (\S+)", best)
    assert float(value) == min(losses)

    again = run_py(*SEARCH, "trainer.max_steps=40")
    assert again.returncode == 0
    assert again.stdout.count(" is completed: ") == 4


def test_a_trial_that_fails_does_not_end_the_search(run_py: Run, tmp_path: Path) -> None:
    diverging = ["optimizer=sgd", "trainer.gradient_clip_val=null", "trainer.max_steps=20"]
    command = [o for o in SEARCH if "interval" not in o] + ["optimizer.lr=0.1,1e30"]
    result = run_py(*command, *diverging, "hydra.sweeper.sampler.seed=2")
    assert result.returncode == 1, result.stderr
    found = {record.status for _, record in find_records([tmp_path])[0]}
    assert found == {"completed", "failed"}
    assert "Traceback" not in result.stderr
