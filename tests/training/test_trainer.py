"""rnnlm/training/trainer.py"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from rnnlm.training.trainer import EarlyStoppingConfig, TrainerConfig, build_trainer


@pytest.mark.parametrize("deterministic", [False, True])
def test_a_deterministic_run_chooses_a_workspace_that_every_kernel_accepts(
    deterministic: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "CUBLAS_WORKSPACE_CONFIG"
    monkeypatch.setenv(name, "the user's own")
    try:
        config = TrainerConfig(accelerator="cpu", deterministic=deterministic)
        build_trainer(config, EarlyStoppingConfig(), tmp_path, [], [])
        assert torch.are_deterministic_algorithms_enabled() is deterministic
        assert os.environ[name] == (":16:8" if deterministic else "the user's own")
    finally:
        torch.use_deterministic_algorithms(False)
