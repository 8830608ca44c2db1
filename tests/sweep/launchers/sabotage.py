"""A callback of Hydra's that makes chosen runs fail, in the process that trains them."""

from __future__ import annotations

import os
import signal
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from rnnlm.training.module import LanguageModelModule

RAISES, KILLED = 0.2, 0.3  # by optimizer.lr
STEP = 5


class Sabotage(Callback):
    """Makes one run raise an error and kills another after some steps, by their learning rates."""

    def on_job_start(self, config: DictConfig, **_: Any) -> None:
        rate = config.optimizer.lr
        original = LanguageModelModule.training_step

        def step(module: LanguageModelModule, batch: Any, index: int) -> Any:
            if index == STEP and rate == RAISES:
                raise RuntimeError("sabotage")
            if index == STEP and rate == KILLED:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(module, batch, index)

        LanguageModelModule.training_step = step  # type: ignore[assignment,method-assign]
